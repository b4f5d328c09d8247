/*
 * filter_gen: writes the C file that ftpd/agent/filter.h speaks of.
 * Runs in: the build, on the machine for which it builds.
 */
#include <linux/filter.h>
#include <stdio.h>

#include "common/sandbox.h"
#include "ftpd/agent/sandbox_rules.h"
#include "common/base.h"

static bool
write_program(const char *name, bool may_write)
{
	struct sandbox_rule rules[AGENT_SANDBOX_RULES_MAX];
	size_t count = agent_sandbox_rules(may_write, rules);
	const struct sock_filter *steps;
	struct sandbox_filter filter;

	if (sandbox_filter_build(rules, count, false, &filter) != 0) {
		return false;
	}
	steps = filter.program;
	(void)printf("static const struct sock_filter %s[] = {\n", name);
	for (unsigned i = 0; i < filter.count; i++) {
		(void)printf("    {0x%x, %u, %u, 0x%x},\n", steps[i].code, steps[i].jt,
		             steps[i].jf, steps[i].k);
	}
	(void)printf("};\n\n");
	sandbox_filter_free(&filter);
	return true;
}

int
main(int argc, char **argv)
{
	if (argc != 2 || freopen(argv[1], "we", stdout) == NULL) {
		return 2;
	}
	(void)printf("/* Made by ftpd/agent/gen/filter_gen.c. */\n"
	             "#include \"ftpd/agent/filter.h\"\n\n");
	if (!write_program("reading", false) || !write_program("writing", true)) {
		return 1;
	}
	(void)printf("const struct sock_filter *\n"
	             "agent_filter(bool may_write, unsigned short *ret_count)\n"
	             "{\n"
	             "\t*ret_count = may_write ? ARRAY_COUNT(writing)\n"
	             "\t                       : ARRAY_COUNT(reading);\n"
	             "\treturn may_write ? writing : reading;\n"
	             "}\n");
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
