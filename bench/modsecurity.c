// Times ModSecurity on the requests of a corpus, for scripts/compare.
//
// Usage: modsecurity CONFIG CORPUS REQUESTS. CORPUS is JSON lines as "wallarm-mirror eval --help" describes them, of which the first
// REQUESTS are read before anything is timed. Prints the number of requests, how many were blocked, and the processor time of one in µs.

#include <jansson.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void die(const char *what, const char *why) {
    fprintf(stderr, "modsecurity: %s: %s\n", what, why);
    exit(2);
}

static int sextet(char c) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

// Decodes base64 up to its padding.
static unsigned char *decode(const char *text, size_t *length) {
    unsigned char *out = malloc(strlen(text) + 1);
    unsigned bits = 0, filled = 0;
    if (!out) die("memory", "none left");
    *length = 0;
    for (int six; (six = sextet(*text)) >= 0; text++) {
        bits = bits << 6 | (unsigned)six;
        filled += 6;
        if (filled >= 8) out[(*length)++] = (unsigned char)(bits >> (filled -= 8));
    }
    return out;
}

static void header(Transaction *transaction, const char *name, const char *value) {
    msc_add_request_header(transaction, (const unsigned char *)name, (const unsigned char *)value);
}

// One request through all phases; true if a rule would have stopped it.
static int run(ModSecurity *engine, RulesSet *rules, json_t *request, unsigned char *body, size_t length) {
    char size[24];
    size_t i;
    json_t *pair;
    ModSecurityIntervention intervention = {.status = 200};
    Transaction *transaction = msc_new_transaction(engine, rules, NULL);
    msc_process_connection(transaction, "127.0.0.1", 1, "127.0.0.1", 80);
    msc_process_uri(transaction, json_string_value(json_object_get(request, "uri")),
                    json_string_value(json_object_get(request, "method")), "1.1");
    json_array_foreach(json_object_get(request, "headers"), i, pair)
        header(transaction, json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)));
    snprintf(size, sizeof size, "%zu", length);
    header(transaction, "Content-Length", size);
    msc_process_request_headers(transaction);
    if (length) msc_append_request_body(transaction, body, length);
    msc_process_request_body(transaction);
    int stopped = msc_intervention(transaction, &intervention) && intervention.status != 200;
    msc_transaction_cleanup(transaction);
    free(intervention.url);
    free(intervention.log);
    return stopped;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void no_log(void *data, const void *message) {
    (void)data;
    (void)message;
}

int main(int argc, char **argv) {
    if (argc != 4) die("usage", "modsecurity CONFIG CORPUS REQUESTS");
    size_t most = strtoul(argv[3], NULL, 10), count = 0, blocked = 0;
    double *times = calloc(most + 1, sizeof *times), sum = 0;
    json_t **requests = calloc(most + 1, sizeof *requests);
    const char *fault = NULL;
    ModSecurity *engine = msc_init();
    RulesSet *rules = msc_create_rules_set();
    msc_set_log_cb(engine, no_log);
    if (msc_rules_add_file(rules, argv[1], &fault) < 0) die(argv[1], fault);

    FILE *corpus = fopen(argv[2], "r");
    if (!corpus) die(argv[2], "cannot be opened");
    json_error_t error;
    while (count < most && (requests[count] = json_loadf(corpus, JSON_DISABLE_EOF_CHECK, &error))) count++;
    if (count == 0 || (count < most && !feof(corpus))) die(argv[2], error.text);

    for (size_t i = 0; i < count; i++) {
        const char *coded = json_string_value(json_object_get(requests[i], "body_b64"));
        size_t length = 0;
        unsigned char *body = decode(coded ? coded : "", &length);
        double start = now();
        blocked += (size_t)run(engine, rules, requests[i], body, length);
        sum += times[i] = now() - start;
        free(body);
    }
    qsort(times, count, sizeof *times, ascending);
    printf("requests %zu\nblocked %zu\np50_us %.3f\np99_us %.3f\nmean_us %.3f\n", count, blocked, times[count / 2],
           times[count * 99 / 100], sum / count);
    return 0;
}
