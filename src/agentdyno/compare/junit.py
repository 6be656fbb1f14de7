"""What came of the limits as JUnit XML, for Jenkins, GitLab and the like.

It keeps to both schemas in use: Ant's, which asks for most (https://github.com/windyroad/JUnit-Schema), and
that of Jenkins (junit-10.xsd of its xUnit plugin).
"""

import re
from datetime import datetime
from xml.etree import ElementTree

from agentdyno.compare.comparison import Comparison
from agentdyno.compare.judgement import Judgement

NO_CHARACTER = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What no XML document may hold (XML 1.0, section 2.2); what a runtime said before it died may."""


def junit(found: Comparison, written: datetime) -> str:
    """A suite that was run when NEW was `written`, with a test case for every limit on every row."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"{found.mark}agentdyno compare",
        package="agentdyno",
        id="0",
        timestamp=written.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        tests=str(len(found.judgements)),
        failures=str(sum(not judgement.kept for judgement in found.judgements)),
        errors="0",
        time="0",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("BASE", found.base), ("NEW", found.new)):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for obstacle in found.obstacles:
        ElementTree.SubElement(properties, "property", name="NOT COMPARABLE", value=obstacle)
    for judgement in found.judgements:
        _add(suite, found, judgement)
    ElementTree.SubElement(suite, "system-out").text = "\n".join(each.line for each in found.judgements)
    ElementTree.SubElement(suite, "system-err").text = "\n".join(found.remarks)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{NO_CHARACTER.sub("�", text)}\n'


def _add(suite: ElementTree.Element, found: Comparison, judgement: Judgement) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"{found.mark}{judgement.row}", name=judgement.limit.text, time="0"
    )
    if not judgement.kept:
        kind = "limit exceeded" if judgement.judged else "cannot be judged"
        # GitLab shows the text, Jenkins the message.
        ElementTree.SubElement(case, "failure", type=kind, message=judgement.says).text = judgement.says
