// What a library of Node is told to log, and what a reader of its file should find: one JSON object a log.
const fs = require("node:fs");

const [, , logs, expected] = process.argv;
const DAY = 86_400_000;
let moved = -DAY;

// The clock of the process stands a day back, so that a time that was read differs from the time of receipt.
const Clock = Date;
global.Date = class extends Clock {
  constructor(...given) {
    super(...(given.length ? given : [Clock.now() + moved]));
  }
  static now() {
    return Clock.now() + moved;
  }
};

const ROUNDS = 40;
const MESSAGES = {
  DEBUG: (n) => `cache of order ${n} opened`,
  INFO: (n) => `order ${n} paid by "Zoë" with 日本 card, 5% off`,
  WARN: (n) => `queue orders is at ${n} of 1000 entries: slow down`,
  ERROR: (n) => `order ${n} was lost, error handler ran`,
  FATAL: (n) => `disk /dev/sda${n} is full`,
};
const FIELDS = { request: { method: "GET", path: "/orders/7" }, attempt: 3, region: "eu-1" };

class CardError extends Error {}

function charge() {
  throw new CardError("card 17 expired");
}

// Calls write(level, message, fields, error) for every log; `levels` names those that the library lacks.
// Gives streams their turn between two logs, as a program at rest does: winston reads the clock when it writes.
exports.story = async function story(write, { levels = {}, source = "shop.orders" } = {}) {
  const told = [];
  const tell = async (level, message, fields, error) => {
    const from = Date.now() / 1000;
    const own = levels[level] ?? level;
    write(own.toLowerCase(), message, fields, error);
    told.push({ message, level: own, source, from, to: Date.now() / 1000, stack: error ? ["card 17 expired", "at charge"] : [] });
    await new Promise(setImmediate);
    moved += 1700;
  };
  for (let n = 0; n < ROUNDS; n++) {
    for (const [level, message] of Object.entries(MESSAGES)) await tell(level, message(n), n % 2 ? FIELDS : {}, null);
    try {
      charge();
    } catch (error) {
      await tell("ERROR", `charge of order ${n} failed`, {}, error);
    }
  }
  fs.writeFileSync(expected, told.map((one) => JSON.stringify(one) + "\n").join(""));
};
exports.logs = logs;
