"""From what the authors of a dataset distribute to `root/identity/type/view/*.pkl`.

`sources` walks through folders and archives, `groups` collects the files of a sequence, `work`
makes a pickle of them in a process of its own, `journal` remembers what is done, `finish` pairs
frames and arranges names, `report` counts. `run` puts them together; `check` looks at a tree.

Memory: the files of one sequence (`groups.LARGEST` at most, however long an archive is), those that
wait for a worker (`run.WAITING`), in each worker one sequence, and about 200 bytes a pickle for the
journal's index. Nothing is taken on the word of a header.
"""
