"""What is printed: medians, how much better deftpd is, and what went wrong."""
import statistics

# Figures of which more is better; of all others less is.
MORE = {"logins/s", "MB/s", "files/s", "of what hashes allow", "resumed"}
DOUBTFUL_CORES = 0.15

# What issue and design aim at: case, figure, peer (None: an absolute value; BEST: the one that is best in this figure),
# the least advantage or the most.
BEST = "the best peer"
GOALS = [
    ("login1", "logins/s", "pyftpdlib", 1.0),
    ("login32", "logins/s", "pyftpdlib", 1.0),
    ("retr", "CPU s/GiB", "vsftpd", 1.0),
    ("small", "files/s", "pure-ftpd", 1.0),
    ("list10000", "LIST ms", "pure-ftpd", 1.0),
    ("list10000", "MLSD ms", "pure-ftpd", 1.0),
    ("list100000", "LIST ms", "pure-ftpd", 1.0),
    ("list100000", "MLSD ms", "pure-ftpd", 1.0),
    ("idle1000", "KiB/session", None, 10000 / 1024),
    ("idle10000", "KiB/session", None, 10000 / 1024),
    ("stor", "CPU s/GiB", BEST, 1 / 0.9),
    ("stordisk", "CPU s/GiB", BEST, 1 / 0.9),
    ("smallstor", "files/s", "pure-ftpd", 1.0),
    ("userlogin32", "logins/s", BEST, 1.0),
    ("useridle1000", "KiB/session", None, 300000 / 1024),
    ("login-tls1", "logins/s", "pyftpdlib", 0.9),
    ("login-tls32", "logins/s", "pyftpdlib", 0.9),
    ("retr-tls", "CPU s/GiB", BEST, 1 / 0.8),
    ("small-tls", "files/s", BEST, 1.2),
    ("stor-tls", "CPU s/GiB", BEST, 1 / 0.95),
]


def values(records, figure):
    return [record["figures"][figure] for record in records if figure in record["figures"]]


def median(records, figure):
    found = values(records, figure)
    return statistics.median(found) if found else None


def number(value):
    if value is None:
        return "-"
    for limit, digits in ((1000, 0), (100, 1), (10, 2)):
        if abs(value) >= limit:
            return f"{value:.{digits}f}"
    return f"{value:.3f}"


def cell(records, figure):
    """Median, and half the range in percent of it when there are enough rounds to say so."""
    found = values(records, figure)
    text = number(median(records, figure))
    if len(found) >= 3 and median(records, figure):
        text += f" ±{50 * (max(found) - min(found)) / abs(median(records, figure)):.0f}%"
    return text


def advantage(mine, other, figure):
    """How many times better the first value is; None when that cannot be said."""
    if mine is None or other is None or mine <= 0 or other <= 0:
        return None
    return mine / other if figure in MORE else other / mine


def lay_out(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def figures_of(by_server):
    names = []
    for records in by_server.values():
        for record in records:
            names += [name for name in record["figures"] if name not in names]
    return names


def medians(case, by_server):
    rows = [[case, *by_server]]
    for figure in figures_of(by_server):
        rows.append(["  " + figure, *(cell(records, figure) for records in by_server.values())])
    return lay_out(rows)


def ratios(results, subject="deftpd"):
    """All cases in one table: deftpd against each other server; above 1 deftpd is better."""
    others = []
    for by_server in results.values():
        others += [name for name in by_server if name != subject and name not in others]
    rows = [[f"{subject} better by", *others]]
    for case, by_server in results.items():
        if subject not in by_server:
            continue
        for figure in figures_of(by_server):
            mine = median(by_server[subject], figure)
            rows.append([f"{case} {figure}"] + [
                number(advantage(mine, median(by_server.get(name, []), figure), figure))
                for name in others])
    return lay_out(rows) if others and len(rows) > 1 else ""


def disturbed(records):
    """How much others used of the machine, in cores, in those rounds in which that was too much."""
    return [record["foreign_cores"] for record in records
            if record["foreign_cores"] > DOUBTFUL_CORES]


def verdict(is_met, *sides):
    """A goal is neither met nor missed by figures that other work has spoilt."""
    if any(disturbed(records) for records in sides):
        return "DOUBTFUL"
    return "met" if is_met else "MISSED"


def best_peer(by_server, figure):
    """The peer with the best median."""
    found = {name: median(records, figure) for name, records in by_server.items()
             if name not in ("deftpd", "bare") and median(records, figure) is not None}
    if not found:
        return BEST
    return (max if figure in MORE else min)(found, key=found.get)


def goals(results):
    lines = []
    for case, figure, peer, aim in GOALS:
        by_server = results.get(case, {})
        if peer == BEST:
            peer = best_peer(by_server, figure)
        deftpd, other = by_server.get("deftpd", []), by_server.get(peer, [])
        mine = median(deftpd, figure)
        if peer is None:
            if mine is not None:    # memory is the control group's, whatever others do
                lines.append(f"{verdict(mine <= aim):8}  {case} {figure}: "
                             f"{number(mine)}, at most {number(aim)}")
            continue
        got = advantage(mine, median(other, figure), figure)
        if got is not None:
            lines.append(f"{verdict(got >= aim, deftpd, other):8}  {case} {figure}: "
                         f"{number(got)} x {peer}, at least {aim:.3g}")
    return "\n".join(lines)


def troubles(results):
    lines = []
    for case, by_server in results.items():
        for name, records in by_server.items():
            lines += [f"{case}, {name}: {record['failure']}" for record in records
                      if record["failure"]]
        # Under strace that is the other work, and nothing is timed.
        spoilt = [f"{name} {len(disturbed(records))} of {len(records)}, up to "
                  f"{max(disturbed(records)):.2f} cores"
                  for name, records in by_server.items() if disturbed(records)]
        if spoilt and case != "calls":
            lines.append(f"{case}, rounds disturbed by others: " + "; ".join(spoilt))
    return "\n".join(lines)
