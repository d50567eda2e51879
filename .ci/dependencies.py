#!/usr/bin/env python3
"""Checks the locked dependencies: licences on the list, one TLS provider, nothing that is banned.

Reads `cargo metadata` only, so it works without a network. Advisories need the advisory database, which
is not reachable everywhere: with `cargo-deny` and its database at hand, `cargo deny check advisories` is
run as well, and otherwise said not to have been.
"""

import json
import re
import shutil
import subprocess
import sys

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CC0-1.0", "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}
# Why each is banned stands in docs/security.md.
BANNED = {"aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls", "openssl"}
# One version each: two of these in one build would not talk to each other.
SINGLE = {"kube", "k8s-openapi", "rustls", "json-patch", "tokio", "serde", "schemars", "jiff", "axum",
          "rustls-webpki", "tokio-rustls", "tokio-tungstenite", "hyper-rustls"}
# Older lines have open advisories and get no more fixes; why nothing may bring them in stands in docs/security.md.
# What is found in the lines that are kept up, the advisory database tells.
OLDEST = {"rustls": (0, 23), "rustls-webpki": (0, 103), "ed25519-dalek": (2, 0), "curve25519-dalek": (4, 1, 3)}
# What must stay off: these features of serenity bring an HTTP client, a socket and a TLS of their own.
OFF = {"serenity": {"http", "gateway", "client", "voice", "rustls_backend", "native_tls_backend"}}


def allowed(expression):
    """Whether an SPDX expression can be met with licences of the list: any side of OR, all of AND."""
    expression = expression.replace("/", " OR ").strip()
    while expression.startswith("(") and expression.endswith(")") and balanced(expression[1:-1]):
        expression = expression[1:-1].strip()
    for word, combine in ((" OR ", any), (" AND ", all)):
        parts = split(expression, word)
        if len(parts) > 1:
            return combine(allowed(part) for part in parts)
    return expression in ALLOWED


def balanced(text):
    depth = 0
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return False
    return depth == 0


def split(expression, word):
    parts, start = [], 0
    for found in re.finditer(re.escape(word), expression):
        if balanced(expression[start:found.start()]):
            parts.append(expression[start:found.start()])
            start = found.end()
    return parts + [expression[start:]]


def main():
    metadata = json.loads(subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1"], check=True, capture_output=True).stdout)
    packages = metadata["packages"]
    problems = []
    versions = {}
    for package in packages:
        name = package["name"]
        versions.setdefault(name, set()).add(package["version"])
        licence = package.get("license")
        if not licence:
            problems.append(f"{name} {package['version']}: no licence expression")
        elif not allowed(licence):
            problems.append(f"{name} {package['version']}: licence `{licence}` is not on the list")
        if name in BANNED and used(name):
            problems.append(f"{name}: banned, see docs/security.md")
    for name in SINGLE & versions.keys():
        # What the lockfile lists for features that are off is not in the build.
        built = sorted(version for version in versions[name] if used(f"{name}@{version}"))
        if len(built) > 1:
            problems.append(f"{name}: more than one version: {', '.join(built)}")
    for name, oldest in OLDEST.items():
        for version in versions.get(name, ()):
            if numbers(version) < oldest and used(f"{name}@{version}"):
                wanted = ".".join(map(str, oldest))
                problems.append(f"{name} {version}: older than {wanted}, see docs/security.md")
    names = {package["id"]: package["name"] for package in packages}
    for node in metadata["resolve"]["nodes"]:
        switched_on = OFF.get(names[node["id"]], set()) & set(node["features"])
        problems += [f"{names[node['id']]}: feature `{feature}` must stay off, see docs/security.md"
                     for feature in sorted(switched_on)]
    for problem in problems:
        print(problem, file=sys.stderr)
    duplicates = sum(len(found) > 1 for found in versions.values())
    print(f"{len(packages)} packages, {duplicates} names in more than one version, {len(problems)} problems")
    if shutil.which("cargo-deny"):
        subprocess.run(["cargo", "deny", "--offline", "check", "advisories"], check=True)
    else:
        print("advisories: NOT CHECKED (cargo-deny and its database are not on this machine)")
    return 1 if problems else 0


def numbers(version):
    return tuple(int(part) for part in re.split(r"[-+]", version)[0].split("."))


def used(name):
    """Metadata lists packages of every target and feature; only those really built count."""
    tree = subprocess.run(["cargo", "tree", "--locked", "-e", "normal,build", "-i", name],
                          capture_output=True, text=True)
    return tree.returncode == 0 and tree.stdout.strip() != "" and "nothing to print" not in tree.stderr


if __name__ == "__main__":
    sys.exit(main())
