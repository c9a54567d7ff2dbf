// log4js with its layout `basic`.
const { logs, story } = require("./told.cjs");
const log4js = require("log4js");

log4js.configure({
  appenders: { file: { type: "fileSync", filename: logs, layout: { type: "basic" } } },
  categories: { default: { appenders: ["file"], level: "debug" } },
});
const logger = log4js.getLogger("shop.orders");
story((level, message, fields, error) => logger[level](...(error ? [message, error] : [message])));
