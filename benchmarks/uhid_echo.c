/* The floor of what we promise on uhid: a device that gives each report back, and does nothing else. */
#include <fcntl.h>
#include <linux/uhid.h>
#include <string.h>
#include <unistd.h>

static const unsigned char descriptor[] = {
    0x06, 0xd0, 0xf1, 0x09, 0x02, 0xa1, 0x01,
    0x09, 0x20, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x81, 0x02,
    0x09, 0x21, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x91, 0x02, 0xc0};

int main(void)
{
    static struct uhid_event event = {.type = UHID_CREATE2}, answer = {.type = UHID_INPUT2};
    int file = open("/dev/uhid", O_RDWR);
    strcpy((char *)event.u.create2.phys, "authrig-echo/1");
    event.u.create2.bus = 3;
    event.u.create2.rd_size = sizeof descriptor;
    memcpy(event.u.create2.rd_data, descriptor, sizeof descriptor);
    if (write(file, &event, sizeof event) < 0)
        return 1;
    answer.u.input2.size = 64;
    while (read(file, &event, sizeof event) > 0)
        if (event.type == UHID_OUTPUT) {
            memcpy(answer.u.input2.data, event.u.output.data + 1, 64);
            if (write(file, &answer, 6 + 64) < 0)
                return 1;
        }
    return 0;
}
