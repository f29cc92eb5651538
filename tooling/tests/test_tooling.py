import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tooling import addons, cluster, databases, debian, shell, templates


class TestTemplateKey(unittest.TestCase):
    def test_what_makes_a_template_another_one(self):
        key = templates.key(["crm", "sale"], "19.0-1", False)
        self.assertEqual(key, templates.key(["sale", "crm", "crm"], "19.0-1", False))
        for other in (
            templates.key(["crm"], "19.0-1", False),
            templates.key(["crm", "sale"], "19.0-2", False),
            templates.key(["crm", "sale"], "19.0-1", True),
        ):
            self.assertNotEqual(key, other)
        self.assertRegex(key, "^[a-z0-9_]{1,60}$")


class TestAddons(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        patch = mock.patch.object(addons.settings, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)
        self.write("one/__manifest__.py", "{'depends': ['crm', 'mail']}")
        self.write("glue/__manifest__.py", "{'depends': ['one', 'sale']}")
        self.write("off/__manifest__.py", "{'depends': ['x'], 'installable': False}")

    def write(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def test_names_and_dependencies(self):
        self.assertEqual(addons.names(), ["glue", "one"])
        self.assertEqual(addons.foreign_dependencies(), ["crm", "mail", "sale"])

    def test_what_joins_us_with_others_is_set_apart(self):
        self.write("bridge/__manifest__.py", "{'depends': ['one', 'queue_job']}")
        self.assertEqual(addons.every_name(), ["bridge", "glue", "one"])
        self.assertEqual(addons.names(), ["glue", "one"])
        self.assertEqual(addons.foreign_dependencies(), ["crm", "mail", "sale"])

    def test_what_needs_much_of_odoo_is_set_apart(self):
        """It has a database of its own, with whatever its tests need."""
        before = addons.fixed_content(), addons.installed_content()
        self.write("heavy/__manifest__.py", "{'depends': ['one', 'sale_stock']}")
        self.write("heavy/data/x.xml", "<odoo noupdate='1'/>")
        self.assertEqual(addons.names(), ["glue", "one"])
        self.assertEqual((addons.fixed_content(), addons.installed_content()), before)
        needed = ["crm", "mail", "sale", "sale_mrp", "sale_stock"]
        self.assertEqual(addons.foreign_dependencies(["heavy"]), needed)
        self.assertNotEqual(addons.fixed_content(["heavy"]), before[0])
        self.assertIn("heavy/data/x.xml", addons.installed_content(["heavy"]))

    def test_tests_and_scripts_need_no_update(self):
        before = addons.installed_content()
        self.write("one/tests/test_x.py", "")
        self.write("one/static/src/x.js", "")
        self.assertEqual(addons.installed_content(), before)
        self.write("one/models/x.py", "")
        self.assertNotEqual(addons.installed_content(), before)

    def test_records_that_are_written_once_need_another_template(self):
        before = addons.fixed_content()
        self.write("one/views/x.xml", "<odoo/>")
        self.assertEqual(addons.fixed_content(), before)
        self.write("one/data/x.xml", "<odoo noupdate='1'/>")
        self.assertNotEqual(addons.fixed_content(), before)


class TestRunNames(unittest.TestCase):
    def test_this_run_is_alive(self):
        self.assertTrue(shell.is_run_alive(shell.run_id()))

    def test_another_process_with_our_number_is_not_us(self):
        self.assertFalse(shell.is_run_alive(f"{os.getpid()}_1"))

    def test_a_run_that_ended(self):
        program = "from tooling import shell; print(shell.run_id())"
        name = subprocess.check_output([sys.executable, "-c", program], text=True).strip()
        self.assertRegex(name, r"^\d+_\d+$")
        self.assertFalse(shell.is_run_alive(name))

    def test_names_of_temporary_databases(self):
        name = databases.temporary("test")
        self.assertEqual(databases.TEMPORARY.match(name)[1], shell.run_id())
        for kept in ("demo", "template_0123", "kept_1", "run_1"):
            self.assertIsNone(databases.TEMPORARY.match(kept))


class TestFiles(unittest.TestCase):
    def test_a_folder_appears_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory() as base:
            path = Path(base, "thing")
            with self.assertRaises(ZeroDivisionError), shell.appearing(path) as new:
                (new / "half").touch()
                raise ZeroDivisionError
            self.assertFalse(path.exists())
            with shell.appearing(path) as new:
                self.assertEqual(list(new.iterdir()), [])
                (new / "whole").touch()
            self.assertTrue((path / "whole").exists())

    def test_a_stale_postmaster_file_is_seen_through(self):
        with tempfile.TemporaryDirectory() as base:
            data = Path(base)
            lines = [str(os.getpid()), base, "1", "5432", "", "127.0.0.1", "", "ready"]
            (data / "postmaster.pid").write_text("\n".join(lines))
            with mock.patch.object(cluster, "DATA", data):
                self.assertIsNone(cluster.running_port())

    def test_package_versions(self):
        self.assertEqual(debian.version(Path("odoo-19_19.0.0+dfsg-1_all.deb")), "19.0.0+dfsg-1")
        self.assertEqual(debian.version(Path("fonts-x_2%3a3.016-1_all.deb")), "2:3.016-1")
