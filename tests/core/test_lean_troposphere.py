"""What is deferred changes how long an import takes, and nothing that anybody can see."""

import subprocess
import sys
from pathlib import Path

import pytest

from imgpipe_templates import core

# The module by itself: importing it through its package would import troposphere at once.
LEAN = f"""
import sys
from runpy import run_path
import_troposphere = run_path({str(Path(core.__file__).with_name("lean_troposphere.py"))!r})["import_troposphere"]
"""
YAML = """
from troposphere import Ref, Template
from troposphere.sns import Topic
template = Template()
template.add_resource(Topic("Alarms", DisplayName=Ref("AWS::StackName")))
print(template.to_yaml())
"""


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stderr == ""
    return done.stdout.split()


def test_troposphere_comes_without_what_only_yaml_and_macros_need():
    script = LEAN + (
        "import_troposphere()\n"
        "import troposphere.s3\n"
        "print({'troposphere', 'troposphere.serverless', 'cfn_flip', 'cfn_tools', 'yaml'} & set(sys.modules))"
    )

    assert run(script) == ["{'troposphere'}"]


def test_to_yaml_still_works_and_says_the_same():
    assert run(LEAN + "import_troposphere()\n" + YAML) == run(YAML)


SERVERLESS = """
import troposphere
from troposphere import Template
{imports}
template = Template()
template.set_transform("AWS::Serverless-2016-10-31")
template.set_globals({globals}(Function=troposphere.serverless.FunctionGlobals(Timeout=5)))
template.add_resource(troposphere.serverless.Api("Api", StageName="v1"))
print(template.to_json())
"""


@pytest.fixture(scope="module")
def plain_serverless():
    said = run(SERVERLESS.format(imports="import troposphere.serverless", globals="troposphere.serverless.Globals"))
    assert '"Globals":' in said
    return said


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("import troposphere.serverless", "troposphere.serverless.Globals"),
        ("from troposphere.serverless import Globals", "Globals"),
        ("from troposphere import serverless", "serverless.Globals"),
        ("import troposphere.serverless", "Template.Globals"),
    ],
)
def test_serverless_templates_still_work_and_say_the_same(imports, name, plain_serverless):
    script = SERVERLESS.format(imports=imports, globals=name)

    assert run(LEAN + "import_troposphere()\n" + script) == plain_serverless


@pytest.mark.parametrize(
    "use",
    [
        "import cfn_flip; print(cfn_flip.__file__ is not None, cfn_flip.to_yaml('{}').strip())",
        "from cfn_flip import to_yaml; print(True, to_yaml('{}').strip())",
        "import cfn_flip.yaml_dumper; print(True, cfn_flip.to_yaml('{}').strip())",
    ],
)
def test_a_later_import_of_cfn_flip_gets_the_real_one(use):
    assert run(LEAN + "import_troposphere()\n" + use) == ["True", "{}"]


def test_what_was_imported_before_stays_as_it_is():
    script = LEAN + (
        "import cfn_flip\nbefore = sys.modules['cfn_flip']\nimport_troposphere()\nimport troposphere\n"
        "print(sys.modules['cfn_flip'] is before is troposphere.cfn_flip)"
    )

    assert run(script) == ["True"]


def test_an_import_that_fails_leaves_nothing_behind():
    script = LEAN + (
        "sys.modules['troposphere.validators'] = None\n"
        "try:\n    import_troposphere()\nexcept ImportError:\n    print('cfn_flip' in sys.modules)"
    )

    assert run(script) == ["False"]


MEANWHILE = """
import threading

def use():
    from cfn_flip import to_yaml
    print(to_yaml("{}"))

def at_import(event, arguments):
    if event == "import" and arguments[0] == "troposphere.validators":
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()

sys.addaudithook(at_import)
import_troposphere()
import cfn_flip
print(cfn_flip.__file__ is not None)
"""


def test_another_thread_that_imports_cfn_flip_meanwhile_gets_what_it_needs():
    assert run(LEAN + MEANWHILE) == ["{}", "True"]


def test_the_package_itself_comes_that_way():
    script = (
        "import sys, imgpipe_templates.pipeline\n"
        "print({'troposphere', 'troposphere.serverless', 'cfn_flip', 'yaml'} & set(sys.modules))"
    )

    assert run(script) == ["{'troposphere'}"]
