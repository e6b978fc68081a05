"""A model's files by its name on the Hugging Face hub: from the local cache, else downloaded."""

from collections.abc import Callable
from pathlib import Path

from core.errors import ModelError

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_REST = ("*.json", "*.txt", "*.model")
_PATIENCE = 2.5  # seconds to find out whether the hub knows the name; the library's own limits add up to minutes


def find(model: str, progress: Callable[[str], None], *, setting: str = "BIJDEHAND_MODEL") -> Path:
    """Its folder in the Hugging Face cache, which other programs may have filled already."""
    name = model if "/" in model else f"sentence-transformers/{model}"  # as sentence-transformers reads a bare name
    return _cached(name) or _download(name, progress, setting)


def _cached(model: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(model, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise ModelError(
            f"{model!r} is neither the folder of a model nor a name that the model hub can have."
        ) from error
    return folder if _weights(folder) and (folder / "config.json").is_file() else None


def _weights(folder: Path) -> list[Path]:
    return [path for pattern in _WEIGHTS for path in folder.glob(pattern)]


def _download(model: str, progress: Callable[[str], None], setting: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi().model_info(model, timeout=_PATIENCE)
        names = [file.rfilename for file in info.siblings or []]
        weights = _WEIGHTS[:1] if any(name.endswith(".safetensors") for name in names) else _WEIGHTS[1:]
        progress(f"Downloading {model}")
        return Path(
            snapshot_download(
                model,
                revision=info.sha,
                allow_patterns=[*weights, *_REST],
                ignore_patterns=["onnx/*", "openvino/*"],
                etag_timeout=_PATIENCE,
            )
        )
    # Its HTTP client's own errors come through, and so does whatever a captive portal makes of JSON.
    except Exception as error:
        reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise ModelError(
            f"The model {model!r} is not on this machine and the model hub does not give it either ({reason}); "
            f"check {setting}, or give the folder of a model."
        ) from error
