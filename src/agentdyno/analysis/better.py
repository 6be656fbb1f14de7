"""Which way a metric is better."""

LESS, NEITHER, MORE = -1, 0, 1

LESS_IS_BETTER = (
    "peak_rss_",
    "tools_",
    "tree_",
    "failed",
    "errors",
    "avg_retries",
    "wall_s",
    "cpu_s_",
    "start_ms",
    "first_request_ms",
    "all_begun_ms",
    "overhead_",
    "steady_overhead_",
    "verify_ms_",
    "queue_ms_",
    "task_",
)
"""How the names of metrics begin that say what something takes."""

MORE_IS_BETTER = ("pass_rate", "first_attempt_pass", "tasks_per_s", "steady_tasks_per_s")


def better(metric: str) -> int:
    """LESS or MORE; NEITHER for what tells of the endpoint, the instrument or the shape of the experiment."""
    if metric.startswith(MORE_IS_BETTER):
        return MORE
    return LESS if metric.startswith(LESS_IS_BETTER) else NEITHER
