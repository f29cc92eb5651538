import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tooling import odoo_source, shell


class TestOdooHome(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)

    def make(self, python_path, addons, version='(19, 0, 0, FINAL, 0, "")'):
        (self.home / addons / "web" / "static").mkdir(parents=True)
        package = self.home / python_path / "odoo"
        package.mkdir(parents=True, exist_ok=True)
        (package / "release.py").write_text(f"FINAL = 'final'\nversion_info = {version}\n")

    def test_checkout(self):
        self.make(".", "addons")
        odoo = odoo_source.from_home(self.home)
        self.assertEqual(odoo.python_path, self.home)
        self.assertEqual(odoo.addons_paths, [self.home / "addons"])

    def test_package(self):
        inside = "usr/lib/python3/dist-packages"
        self.make(inside, f"{inside}/odoo/addons")
        odoo = odoo_source.from_home(self.home)
        self.assertEqual(odoo.addons_paths, [self.home / inside / "odoo/addons"])

    def test_installed_beside_other_packages(self):
        inside = "lib/python3.12/site-packages"
        self.make(inside, f"{inside}/odoo/addons")
        (self.home / inside / "lxml").mkdir()
        with mock.patch.object(odoo_source.settings, "DEV", self.home / "dev"):
            odoo = odoo_source.from_home(self.home)
        self.assertNotEqual(odoo.python_path, self.home / inside)
        self.assertTrue((odoo.python_path / "odoo" / "release.py").is_file())
        self.assertEqual([path.name for path in odoo.python_path.iterdir()], ["odoo"])

    def test_another_version(self):
        self.make(".", "addons", "(18, 0, 0, FINAL, 0, '')")
        with self.assertRaisesRegex(shell.Failure, r"Odoo 18\.0.*needs 19\.0"):
            odoo_source.from_home(self.home)

    def test_a_release_between_versions(self):
        self.make(".", "addons", "('saas~19', 2, 0, FINAL, 0, '')")
        with self.assertRaisesRegex(shell.Failure, r"saas~19\.2"):
            odoo_source.from_home(self.home)

    def test_no_odoo(self):
        for home in (self.home, self.home / "nowhere"):
            with self.assertRaisesRegex(shell.Failure, "holds no Odoo"):
                odoo_source.from_home(home)

    def test_no_modules(self):
        self.make(".", "elsewhere")
        with self.assertRaisesRegex(shell.Failure, "lacks the module web"):
            odoo_source.from_home(self.home)


class TestRepair(unittest.TestCase):
    def test_links_become_files_of_the_right_version(self):
        with tempfile.TemporaryDirectory() as folder:
            tree, javascript = Path(folder, "tree"), Path(folder, "javascript")
            web = tree / "usr/lib/python3/dist-packages/odoo/addons/web/static"
            web.mkdir(parents=True)
            for name in ("fontawesome-webfont.ttf", "Roboto-Bold.ttf"):
                (web / name).symlink_to("../gone")
            for path in (
                javascript / "font-awesome/fonts/fontawesome-webfont.ttf",
                javascript / "@mediapipe/selfie_segmentation/selfie_segmentation.js",
                tree / "usr/share/fonts/x/Roboto-Bold.otf",
            ):
                path.parent.mkdir(parents=True)
                path.write_text(path.name)
            odoo_source.repair(tree, javascript)
            self.assertEqual((web / "Roboto-Bold.ttf").read_text(), "Roboto-Bold.otf")
            self.assertFalse((web / "fontawesome-webfont.ttf").is_symlink())
            mail = web.parent.parent / "mail/static/lib/selfie_segmentation"
            self.assertTrue((mail / "selfie_segmentation.js").is_file())
