"""Traces as programs print them, each one record; and lines that look a little like it and are records of their own."""

from __future__ import annotations

ONE_RECORD = {
    "python": """ERROR:root:request 7 failed
Traceback (most recent call last):
  File "/app/a.py", line 3, in handle
    total = cart["total"]
            ~~~~^^^^^^^^^
KeyError: 'total\'""",
    "python with a failure before": """could not add 7
Traceback (most recent call last):
  File "/app/a.py", line 3, in handle
shop.errors.NoStock: 7""",
    "python chained": """Traceback (most recent call last):
  File "/app/a.py", line 3, in f
    int("x")
ValueError: invalid literal

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/a.py", line 5, in g
    raise RuntimeError("no") from None
RuntimeError: no""",
    "python group": """2026-11-30 10:00:00,123 ERROR failed
  + Exception Group Traceback (most recent call last):
  |   File "/app/a.py", line 3, in f
  | ExceptionGroup: several (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------""",
    "java": """2026-11-30 10:00:00 ERROR [main] Shop - request failed
java.lang.IllegalStateException: no stock
\tat com.shop.Cart.add(Cart.java:12)
\tat com.shop.Main.main(Main.java:3)
\tSuppressed: java.io.IOException: closed
\t\tat com.shop.X.close(X.java:1)
Caused by: java.sql.SQLException: timeout
\tat com.shop.Db.get(Db.java:9)
\t... 23 more""",
    "java uncaught": """Exception in thread "main" java.lang.NullPointerException
\tat com.shop.Main.main(Main.java:3)""",
    "kotlin": """Exception in thread "main" kotlin.KotlinNullPointerException
\tat shop.MainKt.main(Main.kt:3)
Caused by: java.lang.Error: x
\t... 1 common frames omitted""",
    "node": """Error: boom
    at handle (/app/index.js:10:11)
    at async run (/app/index.js:20:3) {
  code: 'ENOENT',
  [cause]: TypeError: x is undefined
      at f (/app/x.js:1:1)
}""",
    "node uncaught": """/app/index.js:10
    throw new Error("boom");
    ^

Error: boom
    at Object.<anonymous> (/app/index.js:10:11)
    at node:internal/main/run_main_module:23:47

Node.js v20.1.0""",
    "go panic": """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.process(...)
\t/app/main.go:12
main.(*Server).Serve(0xc0000140a8, {0x1, 0x2})
\t/app/main.go:20 +0x1d
created by main.main in goroutine 1
\t/app/main.go:7 +0x25
exit status 2""",
    "go signal": """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x49]

goroutine 1 [running]:
main.main()
\t/app/main.go:8 +0x11""",
    "go http": """2026/11/30 10:00:00 http: panic serving 10.0.0.1:5000: boom
goroutine 34 [running]:
net/http.(*conn).serve.func1()
\t/usr/lib/go/src/net/http/server.go:1850 +0xbf
panic({0x1, 0x2})
\t/usr/lib/go/src/runtime/panic.go:890 +0x262""",
    ".net": """Unhandled exception. System.InvalidOperationException: no
 ---> System.ArgumentException: bad
   at Shop.Cart.Add() in /app/Cart.cs:line 12
   --- End of inner exception stack trace ---
   at Shop.Program.Main() in /app/Program.cs:line 3
--- End of stack trace from previous location ---
   at Shop.X()""",
    ".net logged": """fail: Shop.Program[0]
      request failed
      System.ArgumentException: bad
         at Shop.Cart.Add() in /app/Cart.cs:line 12""",
    "ruby": """/app/a.rb:3:in `add': no stock (RuntimeError)
\tfrom /app/a.rb:9:in `<main>'""",
    "rails": """NoMethodError (undefined method `total' for nil:NilClass):
app/models/cart.rb:12:in `total'
app/controllers/carts_controller.rb:3:in `show'""",
    "php": """PHP Fatal error:  Uncaught Exception: no stock in /app/a.php:3
Stack trace:
#0 /app/a.php(9): add()
#1 [internal function]: run()
#2 {main}

Next RuntimeException: failed in /app/a.php:5
Stack trace:
#0 {main}
  thrown in /app/a.php on line 3""",
    "rust": """thread 'main' panicked at src/main.rs:4:5:
no stock
stack backtrace:
   0: rust_begin_unwind
             at /rustc/lib.rs:1
   1: shop::main
note: run with `RUST_BACKTRACE=full` for a verbose backtrace""",
    "c++": """terminate called after throwing an instance of 'std::runtime_error'
  what():  no stock""",
    "loguru": """2026-11-29 13:08:47.512 | ERROR    | shop.orders:pay:10 - charge of order 0 failed
Traceback (most recent call last):
> File "/app/told.py", line 59, in told
    charge()
  File "/app/told.py", line 65, in charge
    raise ValueError("expired")
ValueError: expired""",
    "node below a time": """2026-11-29T13:08:54.225Z [shop] error: charge of order 0 failed
CardError: card 17 expired
    at charge (/app/told.cjs:32:9)
    at story (/app/told.cjs:48:7)""",
    "elixir": """13:08:47.512 [error] GenServer #PID<0.684.0> terminating
** (RuntimeError) no stock
    (app 0.1.0) lib/app/worker.ex:12: App.Worker.handle_call/3
    (stdlib 4.3) gen_server.erl:1149: :gen_server.try_handle_call/4""",
    "dart": """FormatException: Unexpected character (at character 1)
#0      main (file:///app/bin/main.dart:3:5)
#1      _delayEntrypointInvocation.<anonymous closure> (dart:isolate-patch/isolate_patch.dart:296:19)""",
    "pretty JSON": """{
  "message": "a",
  "metadata": {
    "b": 1
  }
}""",
    "indented": """query failed:
    SELECT *
    FROM carts""",
}

SEPARATE = {
    "plain": "one\ntwo\nthree",
    "errors": "Error: File not found: /a\nError: File not found: /b\nValueError: bad",
    "an error after no error": "2026-11-29T13:08:54.225Z info: started\nError: no such file",
    "after info": "INFO started\nTraceback (most recent call last):",
    "json": '{"message": "a"}\n  indented after JSON',
    "times": "one\n  2026-11-30 10:00:00 two",
    "brackets": "[error] a\n[error] b\n{broken\n}not the end",
    "blank and indented": "one\n\n  two",
    "a trace and a log": (
        'Traceback (most recent call last):\n  File "a", line 1, in f\nKeyError: 1\0INFO next\0INFO and next'
    ),
    "a panic and a log": "panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1\0listening on port 80",
    "a trace cut off": 'Traceback (most recent call last):\n  File "a", line 1\x002026-11-30 10:00:00 INFO next',
}
"""Records are separated by NUL where there is one, else by lines."""
