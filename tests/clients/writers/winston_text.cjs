// winston's `simple` format behind a time, as its README shows with printf.
const { logs, story } = require("./told.cjs");
const { createLogger, format, transports } = require("winston");

const logger = createLogger({
  level: "debug",
  format: format.combine(
    format.label({ label: "shop.orders" }),
    format.timestamp(),
    format.printf(({ level, message, label, timestamp }) => `${timestamp} [${label}] ${level}: ${message}`),
  ),
  transports: [new transports.File({ filename: logs })],
});
story(
  (level, message, fields, error) => logger.log({ level, message: error ? `${message}\n${error.stack}` : message }),
  { levels: { FATAL: "ERROR" } },
);
