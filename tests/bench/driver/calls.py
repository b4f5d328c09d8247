"""System calls of a server, counted by strace: a figure that does not waver."""
import signal
import subprocess
import time


class Counter:
    """Counts the calls of all processes of a group, and of those that they fork, between start and stop."""

    def __init__(self, group, folder):
        self.summary = folder / "calls"
        command = ["strace", "-f", "-qq", "-c", "-U", "name,calls", "-o", str(self.summary)]
        for pid in group.pids():
            command += ["-p", str(pid)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_until_attached(group.pids())

    def wait_until_attached(self, pids):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if all(tracer_of(pid) == self.process.pid for pid in pids):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.process.kill()
        raise RuntimeError("strace cannot attach: " +
                           self.process.communicate()[1].decode(errors="replace")[-200:])

    def stop(self):
        """Returns the calls by name."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        counts = {}
        for line in self.summary.read_text().splitlines():
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and words[0] != "total":
                counts[words[0]] = int(words[1])
        return counts


def tracer_of(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            for line in status:
                if line.startswith("TracerPid:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None
