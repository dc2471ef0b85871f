"""A short run of each fuzzer, from its seeds. What it finds is kept in the build folder."""
import glob
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import builds
from results import FAILED, PASSED, Section


def run_one(results, name, seconds):
    path = os.path.join(builds.folder("fuzz"), "fuzz", name)
    seeds = os.path.join(builds.TREE, "t/fuzz/seeds", name[len("fuzz_"):])
    kept = os.path.join(builds.folder("fuzz"), "found", name)
    os.makedirs(kept, exist_ok=True)
    if not os.path.exists(path):
        return results.add("fuzz", name, FAILED, "does not build")
    if not os.path.isdir(seeds):
        return results.add("fuzz", name, FAILED, f"has no seeds in {os.path.relpath(seeds, builds.TREE)}")
    dictionary = os.path.join(builds.TREE, "t/fuzz", f"{name}.dict")
    with tempfile.TemporaryDirectory(prefix="corpus-") as corpus:
        command = [path, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                   f"-artifact_prefix={kept}/", corpus, seeds]
        if os.path.exists(dictionary):
            command.insert(1, f"-dict={dictionary}")
        try:
            done = subprocess.run(command, cwd=corpus, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  errors="replace", timeout=seconds + 120)
        except subprocess.TimeoutExpired:
            return results.add("fuzz", name, FAILED, "did not end")
    return results.add("fuzz", name, FAILED if done.returncode else PASSED, done.stdout)


def run(results, wanted, seconds):
    sources = sorted(glob.glob(os.path.join(builds.TREE, "t/fuzz/fuzz_*.c")))
    names = [os.path.basename(source)[:-len(".c")] for source in sources]
    names = [name for name in names if wanted in name]
    if not names:
        return
    builds.build(results, "fuzz", [f"fuzz/{name}" for name in names])
    with Section(results, f"fuzzers, {seconds} s each"), ThreadPoolExecutor(os.cpu_count()) as pool:
        for name in names:
            pool.submit(run_one, results, name, seconds)
