// Takes pictures as standard input says (see __init__.py beside this file), and prints what the
// browser complained about, as a list.
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

// what our pages need no more than this computer offers
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
// a replay of two years takes its time, and more on a computer that has other things to do
const TIMEOUT = 180_000;

/** What is done before a picture is taken, by the name of the step. */
const STEPS = {
    click: (page, selector) => page.click(selector),
    button: async (page, label) => {
        // the header is drawn in full at first, and then as narrow as it must be
        await page.waitForTimeout(500);
        const button = page.locator(`button:has-text("${label}"):visible`).first();
        if (!(await button.isVisible())) {
            // a phone keeps all but one of them behind the dots
            await page.click(".o_statusbar_buttons button:has(.fa-ellipsis-v, .oi-ellipsis-v)");
        }
        // scrolling to it, as a click does, would close the phone's sheet of buttons
        await button.dispatchEvent("click");
    },
    wait: (page, selector) => page.waitForSelector(selector),
    // what the mouse happens to be over would say what it is
    away: (page) => page.mouse.move(0, 0),
    scroll: (page, selector) =>
        page.$eval(selector, (element) => element.scrollIntoView({ block: "start" })),
};

async function logIn(page, { url, login, password }) {
    await page.goto(`${url}/web/login`);
    await page.fill("input[name=login]", login);
    await page.fill("input[name=password]", password);
    await Promise.all([page.waitForURL(/\/odoo/), page.click("button[type=submit]")]);
}

async function take(page, order, shot) {
    await page.goto(order.url + shot.path);
    await page.waitForSelector(shot.ready);
    for (const [step, argument] of shot.steps) {
        await STEPS[step](page, argument);
    }
    // fonts and images, and what moves into place
    await page.evaluate("document.fonts.ready");
    await page.waitForTimeout(800);
    await page.screenshot({ path: path.join(order.folder, `${shot.file}.png`) });
}

async function main(order) {
    const complaints = [];
    const browser = await chromium.launch({ executablePath: order.browser, args: ARGUMENTS });
    for (const { width, height, cookies, shots } of order.sets) {
        const context = await browser.newContext({
            viewport: { width, height },
            isMobile: width < 600,
            hasTouch: width < 600,
        });
        await context.addCookies(cookies.map((cookie) => ({ ...cookie, url: order.url })));
        const page = await context.newPage();
        page.setDefaultTimeout(TIMEOUT);
        await logIn(page, order);
        let file = "";
        const complain = (text) => complaints.push(`${file}: ${text}`);
        page.on("pageerror", (error) => complain(error.message));
        page.on("console", (message) => {
            if (["error", "warning"].includes(message.type())) {
                complain(message.text());
            }
        });
        for (const shot of shots) {
            file = shot.file;
            try {
                await take(page, order, shot);
            } catch (error) {
                complain(error.message);
            }
        }
        await context.close();
    }
    await browser.close();
    process.stdout.write(JSON.stringify(complaints));
}

main(JSON.parse(fs.readFileSync(0, "utf-8"))).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
});
