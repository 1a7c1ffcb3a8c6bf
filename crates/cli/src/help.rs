//! The texts of `--help` and `--version`.

pub(crate) const MAIN: &str = "\
Finds attacks in recorded HTTP requests with the engine of the NGINX module.

Usage: wallarm-mirror COMMAND [OPTION]... [FILE]...

Commands:
  scan         print an event for each attack in the requests of the files
  eval         score the engine on a labelled corpus
  explain      show what led to the verdict on each request of a file
  rules check  lint rules and run the examples they carry
  train        learn the weights of the model from labelled requests

Options:
  -h, --help     this text; after a command, that command's
  -V, --version  the version

Exit status: 2 is an error; what 0 and 1 mean is part of each command's help.
";

pub(crate) const SCAN: &str = "\
Prints a JSON event a line for each attack, as wallarm_attack_log writes it, and
names on standard error the requests that are only suspect.

Usage: wallarm-mirror scan [-f FORMAT] [-r PATH] [-m PATH] [FILE]...

FILE holds HTTP requests; \"-\", or no FILE, is standard input.

Options:
  -f, --format FORMAT  auto (default): what the file looks like
                       raw: HTTP/1.x messages, several behind one another
                       har: an HTTP archive
                       jsonl: corpus lines, one JSON object each
  -r, --rules PATH     a rule file on top of the built-in rules, or a directory
                       of rule files instead of them
  -m, --model PATH     another table of weights, as \"train\" writes it
  -h, --help           this text
  -V, --version        the version

Exit status: 0 if there was an attack, 1 if there was none, 2 on an error, even
if there was an attack too.
";

pub(crate) const EVAL: &str = "\
Scores the engine on a labelled corpus.

Usage: wallarm-mirror eval [--flagged OUT] [--json] [-r PATH] [-m PATH] FILE

FILE holds a JSON object a line: {\"source\", \"label\": \"attack\" or \"benign\",
\"class\", \"method\", \"uri\", \"headers\": [[name, value], ...], \"body_b64\", \"sub\"};
\"-\" is standard input.

Options:
      --flagged OUT    write the zero-based numbers of the flagged lines
      --json           print the figures as one JSON object
  -r, --rules PATH     a rule file on top of the built-in rules, or a directory
                       of rule files instead of them
  -m, --model PATH     another table of weights, as \"train\" writes it
  -h, --help           this text
  -V, --version        the version

Exit status: 0 if the corpus was scored, 2 on an error.
";

pub(crate) const EXPLAIN: &str = "\
Shows every view, decoder, indicator and weight that led to each verdict.

Usage: wallarm-mirror explain [-f FORMAT] [-r PATH] [-m PATH] FILE

FILE holds HTTP requests; \"-\" is standard input.

Options:
  -f, --format FORMAT  auto (default), raw, har or jsonl; see \"scan --help\"
  -r, --rules PATH     a rule file on top of the built-in rules, or a directory
                       of rule files instead of them
  -m, --model PATH     another table of weights, as \"train\" writes it
  -h, --help           this text
  -V, --version        the version

Exit status: 0 if all requests were explained, 2 on an error.
";

pub(crate) const TRAIN: &str = "\
Learns the weights of the model from labelled requests.

Usage: wallarm-mirror train [-o OUT] [--values DIR] [--leave-out] [FILE]...

FILE holds labelled requests as \"eval\" reads them.

Options:
      --values DIR  learn from the values in DIR/attack/CLASS.txt and
                    DIR/benign/KIND.txt too
  -o, --out OUT     write the table of weights to OUT instead of standard output
      --leave-out   write no weights: for every source of the files, learn from
                    the others, and print how well that does on it
  -h, --help        this text
  -V, --version     the version

Exit status: 0 if weights or figures were written, 2 on an error.
";

pub(crate) const RULES: &str = "\
Lints rules and runs the examples that each rule carries.

Usage: wallarm-mirror rules check [PATH]

PATH is a rule file, checked together with the built-in rules, which it adds to
or replaces by id; or a directory, whose *.toml files are checked as a set of
their own. Without PATH the built-in rules are checked.

Options:
  -h, --help     this text
  -V, --version  the version

Exit status: 0 if there was no problem, 1 if there was one, 2 on an error.
";

pub(crate) fn version() -> String {
    format!("wallarm-mirror {}\n", env!("CARGO_PKG_VERSION"))
}
