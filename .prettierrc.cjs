// The layout of Odoo's own JavaScript; XML as in OCA's add-ons.
// ./dev lint tells node by NODE_PATH where the plug-in lies.
module.exports = {
    plugins: [require.resolve("@prettier/plugin-xml")],
    printWidth: 100,
    tabWidth: 4,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve",
    overrides: [{ files: ["package.json", "*.yml"], options: { tabWidth: 2 } }],
};
