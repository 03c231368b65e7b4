"""What a notebook shows of an estimator: scikit-learn's diagram, and below it what its fit came to."""

from html import escape


class Report:
    """Adds the report of the fit to scikit-learn's HTML."""

    def _repr_html_inner(self):
        return super()._repr_html_inner() + report(self)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._repr_html_inner()
        return bundle


def report(estimator):
    """A table of figures, the curve of the loss, and what was noticed; nothing before a fit."""
    curve = getattr(estimator, "loss_curve_", None)
    if not curve:
        return ""
    figures = {
        "epochs": f"{estimator.n_iter_:,}",
        "kept": estimator.best_iteration_ and f"epoch {estimator.best_iteration_}",
        "loss": f"{curve[-1]:.6g}",
        "validation": shown(getattr(estimator, "best_validation_score_", None)),
        "out of fold": shown(getattr(estimator, "oof_score_", None)),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in figures.items() if value)
    hints = "".join(f"<li>{escape(hint)}</li>" for hint in getattr(estimator, "hints_", []))
    held_out = getattr(estimator, "validation_curve_", None)
    return f"<table>{rows}</table>{picture(curve, held_out)}" + (f"<ul>{hints}</ul>" if hints else "")


def shown(value):
    return None if value is None else f"{value:.4f}"


def picture(curve, held_out, width=320, height=90):
    """The loss over the epochs as SVG; of the rows for validation dashed."""
    lines = [(curve, ""), (held_out, ' stroke-dasharray="4 3"')]
    lines = [(values, style) for values, style in lines if values and len(values) > 1]
    if not lines:
        return ""
    least, most = min(min(values) for values, _ in lines), max(max(values) for values, _ in lines)
    paths = "".join(
        '<polyline fill="none" stroke="currentColor"{} points="{}"/>'.format(
            style,
            " ".join(
                f"{width * at / (len(values) - 1):.1f},{height * (1 - (value - least) / ((most - least) or 1)):.1f}"
                for at, value in enumerate(values)
            ),
        )
        for values, style in lines
    )
    title = f"loss from {curve[0]:.4g} to {curve[-1]:.4g} over {len(curve)} epochs"
    return (
        f'<svg role="img" aria-label="{title}" width="{width}" height="{height}" viewBox="-2 -2 {width + 4} {height + 4}">'
        f"<title>{title}</title>{paths}</svg>"
    )
