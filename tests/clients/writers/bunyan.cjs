// bunyan as its README shows.
const { logs, story } = require("./told.cjs");
const bunyan = require("bunyan");

const logger = bunyan.createLogger({
  name: "shop.orders",
  serializers: bunyan.stdSerializers,
  streams: [{ level: "debug", path: logs }],
});
story((level, message, fields, error) => logger[level](error ? { err: error } : fields, message));
