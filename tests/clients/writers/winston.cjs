// winston with timestamp, errors and json.
const { logs, story } = require("./told.cjs");
const { createLogger, format, transports } = require("winston");

const logger = createLogger({
  level: "debug",
  defaultMeta: { service: "shop.orders" },
  format: format.combine(format.timestamp(), format.errors({ stack: true }), format.json()),
  transports: [new transports.File({ filename: logs })],
});
story(
  // winston appends the error's message to the log's own: give it as a field.
  (level, message, fields, error) => logger.log({ level, message, ...fields, ...(error && { stack: error.stack }) }),
  { levels: { FATAL: "ERROR" } },
);
