/*
 * standalone: feeds the files of the directories on its command line to a fuzz target,
 * once each. Stands in for libFuzzer where there is none: the seeds are tests for every
 * compiler.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "common/base.h"

enum {
	SEED_MAX_BYTES = 1 << 20,
};

static void
replay_file(const char *path)
{
	/*
	 * As long as the input, so that the address sanitizer sees a read behind its end.
	 */
	uint8_t *exact;
	uint8_t *data = malloc(SEED_MAX_BYTES);
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL || data == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, SEED_MAX_BYTES, file);
	if (ferror(file) || !feof(file)) {
		fprintf(stderr, "%s: cannot be read, or is above 1 MiB\n", path);
		exit(1);
	}
	(void)fclose(file); /* nothing was written */
	exact = malloc(size > 0 ? size : 1);
	if (exact == NULL) {
		perror(path);
		exit(1);
	}
	memcpy(exact, data, size);
	free(data);
	(void)LLVMFuzzerTestOneInput(exact, size); /* reserved; a finding aborts */
	free(exact);
}

/* Returns: how many files were replayed. */
static size_t
replay_directory(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	size_t count = 0;

	if (dir == NULL) {
		perror(directory);
		exit(1);
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[4096];
		struct stat status;
		int len = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);

		if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &status) != 0) {
			fprintf(stderr, "%s/%s: cannot be found\n", directory,
			        entry->d_name);
			exit(1);
		}
		if (S_ISREG(status.st_mode)) {
			replay_file(path);
			count++;
		}
	}
	(void)closedir(dir); /* it was only read */
	return count;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		count += replay_directory(argv[i]);
	}
	printf("%zu seeds replayed\n", count);
	/* Without seeds the test would pass by doing nothing. */
	return count > 0 ? 0 : 1;
}
