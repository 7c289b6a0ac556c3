"""What is printed of a translation: its text, or an object of JSON."""

import json


def format_result(result, number: int, n_best: int = 1, as_json: bool = False) -> str:
    """Return what is printed for one line of input.

    Args:
        result: `Translation`; a list of them if `n_best` is above 1; `None` for a
            line that was not translated.
        number: Number of the input line, from 1.
        n_best: Number of translations asked for.
        as_json: Whether to return a JSON object (a list of them if `n_best` is above
            1) in place of text.
    """
    if as_json:
        if n_best > 1:
            return as_json_line([fields(one) for one in result or []])
        return as_json_line(fields(result))
    if result is None:
        return ""
    if n_best > 1:
        return "\n".join(f"{number}\t{one.score:.4f}\t{one.text}" for one in result)
    return result.text


def fields(translation) -> dict:
    """Return what `--json` prints of a `Translation`; `None` gives an empty one."""
    if translation is None:
        empty = ("source_tokens", "target_tokens", "weights", "doubts")
        return {"source": "", "text": "", "score": 0.0, **{name: [] for name in empty}}
    weights = translation.weights.astype("float64").round(6)
    return {
        "source": translation.source,
        "text": translation.text,
        "score": float(translation.score),
        "source_tokens": list(translation.source_tokens),
        "target_tokens": list(translation.target_tokens),
        "weights": weights.tolist(),
        "doubts": list(translation.doubts),
    }


def as_json_line(value) -> str:
    """Return a value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)
