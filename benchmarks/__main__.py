"""`make bench`: what a call costs beside plain services, where its time goes, and what a further model costs.

Load and soak take longer and are asked for by name: `python -m benchmarks.load`, `python -m benchmarks.soak`.
"""

from benchmarks import further_models, hook_path, trained_models, where

hook_path.main()
print("\n## Where the CPU of a call goes\n", flush=True)
where.main()
print("\n## What a further model costs a call\n", flush=True)
further_models.main()
print("\n## What the trained models cost for one record\n", flush=True)
trained_models.main()
