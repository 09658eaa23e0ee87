/* A Modbus TCP client and server on Debian's libmodbus, so that ours are not judged by our own library.
 *
 *   modbus_peer serve                                 256 registers of each kind, word n holds n; says its port
 *   modbus_peer read PORT UNIT ADDRESS COUNT          one FC3; says the words
 *   modbus_peer write PORT UNIT ADDRESS WORD...       one FC16
 *   modbus_peer repeat PORT UNIT ADDRESS COUNT TIMES  many FC3; says the median in us and the processor time of one in us
 *
 * Each answer is one line of JSON; a refusal is {"error": "..."}.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ITEMS = 256 };

static int say_error(void)
{
    printf("{\"error\": \"%s\"}\n", modbus_strerror(errno));
    return 0;
}

static int serve(void)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *map = modbus_mapping_new(ITEMS, ITEMS, ITEMS, ITEMS);
    int listening = modbus_tcp_listen(context, 16);
    if (listening < 0 || map == NULL)
        return 1;
    for (int i = 0; i < ITEMS; i++) {
        map->tab_registers[i] = map->tab_input_registers[i] = (uint16_t)i;
        map->tab_bits[i] = map->tab_input_bits[i] = (uint8_t)(i % 3 == 0);
    }
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    getsockname(listening, (struct sockaddr *)&place, &size);
    printf("{\"port\": %d}\n", ntohs(place.sin_port));
    fflush(stdout);

    fd_set known;
    FD_ZERO(&known);
    FD_SET(listening, &known);
    int highest = listening;
    for (;;) {
        fd_set ready = known;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0)
            return 1;
        for (int handle = 0; handle <= highest; handle++) {
            if (!FD_ISSET(handle, &ready))
                continue;
            if (handle == listening) {
                int fresh = accept(listening, NULL, NULL);
                if (fresh >= 0) {
                    FD_SET(fresh, &known);
                    highest = fresh > highest ? fresh : highest;
                }
                continue;
            }
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            modbus_set_socket(context, handle);
            int got = modbus_receive(context, query);
            if (got > 0)
                modbus_reply(context, query, got, map);
            else if (got < 0) {
                close(handle);
                FD_CLR(handle, &known);
            }
        }
    }
}

static double microseconds(clockid_t kind)
{
    struct timespec now;
    clock_gettime(kind, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static int repeat(modbus_t *context, int address, int count, int times)
{
    uint16_t words[MODBUS_MAX_READ_REGISTERS];
    double *taken = malloc(sizeof(double) * (size_t)times);
    double cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < times; i++) {
        double begun = microseconds(CLOCK_MONOTONIC);
        if (modbus_read_registers(context, address, count, words) != count)
            return say_error();
        taken[i] = microseconds(CLOCK_MONOTONIC) - begun;
    }
    cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    qsort(taken, (size_t)times, sizeof(double), ascending);
    printf("{\"p50_us\": %.3f, \"cpu_us\": %.3f}\n", taken[times / 2], cpu / times);
    free(taken);
    return 0;
}

int main(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve();
    if (argc < 5)
        return 2;
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[2]));
    modbus_set_slave(context, atoi(argv[3]));
    /* its own half a second is too short for an answer on a busy computer */
    modbus_set_response_timeout(context, 10, 0);
    if (modbus_connect(context) != 0)
        return say_error();
    int address = atoi(argv[4]);
    uint16_t words[MODBUS_MAX_WRITE_REGISTERS];
    if (strcmp(argv[1], "repeat") == 0 && argc == 7)
        return repeat(context, address, atoi(argv[5]), atoi(argv[6]));
    if (strcmp(argv[1], "read") == 0 && argc == 6) {
        int count = atoi(argv[5]);
        if (modbus_read_registers(context, address, count, words) != count)
            return say_error();
        printf("{\"words\": [");
        for (int i = 0; i < count; i++)
            printf(i ? ", %u" : "%u", words[i]);
        printf("]}\n");
        return 0;
    }
    if (strcmp(argv[1], "write") == 0 && argc > 5 && argc - 5 <= MODBUS_MAX_WRITE_REGISTERS) {
        for (int i = 5; i < argc; i++)
            words[i - 5] = (uint16_t)atoi(argv[i]);
        if (modbus_write_registers(context, address, argc - 5, words) != argc - 5)
            return say_error();
        printf("{\"words\": []}\n");
        return 0;
    }
    return 2;
}
