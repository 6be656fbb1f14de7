"""Tasks: the built-in ones, HumanEval, dataset files, wrong answers, and the strength of tests."""
