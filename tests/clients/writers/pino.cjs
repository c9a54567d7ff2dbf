// pino with its defaults, and a name.
const { logs, story } = require("./told.cjs");
const pino = require("pino");

const logger = pino({ name: "shop.orders", level: "debug" }, pino.destination({ dest: logs, sync: true }));
story((level, message, fields, error) => logger[level](error ? { err: error } : fields, message));
