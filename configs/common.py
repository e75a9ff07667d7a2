"""The fields that every config has, with the values most of them share."""

from collections.abc import Callable, Mapping

from ml_collections import ConfigDict

from gaitjax.errors import UserError


def base(dataset: str) -> ConfigDict:
    """A config without a network: data, training, evaluation.

    Args:
        dataset: a file of `gaitjax/datasets`, or the dotted path of one of your own.
    """
    config = ConfigDict()
    config.seed = 0  # every random choice of a run follows from it
    config.network = ""  # a file of gaitjax/models, or the dotted path of one of your own
    config.model = ConfigDict()  # the fields of the network's `Model`
    config.dtype = "float32"  # what activations are computed in; 'bfloat16' on GPUs
    config.deterministic = False  # True: the same bits on a GPU too, at some speed
    config.losses = ConfigDict()  # term -> dict(type=a file of gaitjax/losses, weight=, options)
    config.freeze = ()  # shell patterns of parameters that are not trained: 'segmenter/encoder*'

    config.data = _data(dataset)
    # groups: ((pattern of parameters, {"learning_rate": ..., "weight_decay": ...}), ...), of which
    # the first that matches counts; what it leaves out is the optimizer's.
    config.optimizer = ConfigDict(
        {
            "type": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "groups": (),
        }
    )
    config.schedule = ConfigDict({"type": "multistep", "milestones": (), "gamma": 0.1})

    config.train = train = ConfigDict()
    train.steps = 60_000
    train.log_every = 100
    train.image_every = 1_000  # input silhouettes to TensorBoard; 0: never
    train.checkpoint_every = 1_000
    train.init_from = ()  # runs or checkpoints whose arrays are taken where name and shape fit
    train.keep = 3  # the latest checkpoints that are kept, beside the best
    train.evaluate_every = 10_000  # and at the end; 0: only at the end

    config.evaluation = _evaluation()
    return config


def _evaluation() -> ConfigDict:
    evaluation = ConfigDict()
    evaluation.metric = "euclidean"  # or 'cosine', per part
    evaluation.batch = 16  # sequences at a time, on all devices together: a matter of speed only
    evaluation.frame_bucket = 32  # lengths are padded to some multiples of it: one compilation each
    # EER, and TPR and DIR at these false accept rates, such as (0.01, 0.001); (): no open set.
    evaluation.open_set = ConfigDict({"far": (), "resamples": 1_000, "seed": 0})
    evaluation.baselines = False  # True: also the untrained network and the energy image
    # One of the dataset's protocols by its name, or '', its first. For own data: shell patterns of
    # types, such as gallery=('nm-0[1-4]',), probes=('NM=nm-05|nm-06', 'bg-*'); see README.md.
    evaluation.protocol = ConfigDict(
        {
            "name": "",
            "gallery": (),
            "probes": (),
            "gallery_views": "all",
            "exclude": "none",
            "match": "{type}",
            "viewpoint": "([^/]*)$",
            "average": "probes",
            "unmatched": "skip",
            "ranks": (1, 5, 10),
        }
    )
    return evaluation


def _data(dataset: str) -> ConfigDict:
    data = ConfigDict()
    data.dataset = dataset
    data.root = ""  # root/identity/type/view/*.pkl; '' for built-in data: the cache folder
    data.partition = ""  # JSON with TRAIN_SET and TEST_SET; '': the dataset's rule, or root's own
    # ((dataset, root, weight), ...): trained on instead, each step on one of them; the test split
    # stays that of data.dataset. Weights of 0: the third roots of the numbers of sequences.
    data.sets = ()
    data.options = ConfigDict()  # what built-in data are generated from
    data.modalities = ("silhouette",)
    # modality -> what turns what is stored into what the network reads, in order: first those of
    # gaitjax/data/transforms.py, on the host, then those of gaitjax/data/augment.py, on the
    # device. Random ones act in training only.
    data.transforms = ConfigDict({"silhouette": ({"type": "silhouette_cut"},)})
    # 'triplet': P identities x K sequences of each. 'common': as many sequences as their product,
    # of whomever. 'pairs': each of these in two views.
    data.sampler = ConfigDict({"type": "triplet", "identities": 8, "sequences": 16})
    data.frames = ConfigDict(
        {
            "sampling": "fixed",  # 'fixed': number; 'unfixed': minimum to maximum; 'all'
            "order": "unordered",  # 'ordered': from a window of consecutive frames, sorted
            "number": 30,
            "minimum": 20,
            "maximum": 40,
            "skip": 0,  # 'ordered': the window is that much longer than the number of frames
            "limit": 720,  # 'all' and evaluation: frames past it are dropped
        }
    )
    data.verify = True  # read every file once before the first step, so that none breaks the run
    data.threads = 2  # batches read at the same time
    data.prefetch = 2  # batches ready ahead of the step that needs them
    return data


def choose(
    settings: Mapping[str, Callable[[ConfigDict], None]], dataset: str
) -> Callable[[ConfigDict], None]:
    """The settings of a network for a dataset.

    Raises:
        UserError: if it has none; lists those that it has.
    """
    if dataset not in settings:
        raise UserError(
            f"this config has no dataset {dataset!r}; it has {', '.join(settings)}. "
            "For data of your own take :folder"
        )
    return settings[dataset]


def adam(config: ConfigDict, learning_rate: float, weight_decay: float) -> None:
    """Trains with Adam instead of SGD."""
    settings = {"learning_rate": learning_rate, "weight_decay": weight_decay, "groups": ()}
    config.optimizer = ConfigDict({"type": "adam", **settings})


def one_cycle(config: ConfigDict, **options: float | bool) -> None:
    """One cycle of learning rate and momentum over all steps, those of a flag too."""
    fields = {"type": "one_cycle", "total": config.train.get_ref("steps"), "symmetric": False}
    config.schedule = ConfigDict({**fields, **options})


def synthetic(config: ConfigDict) -> None:
    """The built-in walkers, and a run that two CPU cores finish within ten minutes."""
    usual = tuple(f"nm-0{number}" for number in range(1, 7))
    config.data.options = ConfigDict(
        {
            "seed": 0,
            "train_identities": 40,
            "test_identities": 16,
            "types": (*usual, "bg-01", "bg-02", "cl-01", "cl-02"),
            "views": ("000", "036", "072", "108", "144", "180"),
            "frames": (20, 26),
            "modalities": config.data.get_ref("modalities"),
        }
    )
    config.data.sampler.update(identities=8, sequences=4)
    config.data.frames.number = 8
    config.train.update(steps=150, log_every=10, image_every=50, checkpoint_every=50)
    config.train.evaluate_every = 0
    config.evaluation.update(baselines=True, frame_bucket=26)
    adam(config, 1e-3, 0.0)
