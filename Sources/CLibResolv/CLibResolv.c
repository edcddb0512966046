#include "CLibResolv.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

// Queries are sent by the caller, with limits of its own: glibc waits for a server over TCP without an end.
int innkeeper_dns_query(const char *name, int type, int recurse, uint16_t id, uint8_t *room) {
  struct __res_state state;
  memset(&state, 0, sizeof state);
  if (res_ninit(&state) != 0) return -1;
  if (recurse) {
    state.options |= RES_RECURSE;
  } else {
    state.options &= ~(unsigned long)RES_RECURSE;
  }
  static const uint8_t option[] = {0, 0, ns_t_opt, 1232 >> 8, 1232 & 0xFF, 0, 0, 0, 0, 0, 0};
  int length = res_nmkquery(
      &state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, room, INNKEEPER_DNS_QUERY - (int)sizeof option);
  res_nclose(&state);
  if (length < NS_HFIXEDSZ) return -1;
  room[0] = id >> 8;
  room[1] = id & 0xFF;
  room[11] = 1;
  memcpy(room + length, option, sizeof option);
  return length + (int)sizeof option;
}

static int visit_section(
    ns_msg *message, ns_sect section, void *context, int (*visit)(void *, const innkeeper_dns_record *)) {
  int count = ns_msg_count(*message, section);
  for (int index = 0; index < count; index++) {
    ns_rr record;
    char text[NS_MAXDNAME] = "";
    if (ns_parserr(message, section, index, &record) != 0) return -1;
    if (section != ns_s_qd && ns_rr_class(record) != ns_c_in) continue;
    int type = ns_rr_type(record);
    if (section != ns_s_qd && (type == ns_t_ns || type == ns_t_cname) &&
        ns_name_uncompress(
            ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(record), text, sizeof text) < 0)
      return -1;
    innkeeper_dns_record seen = {
        .section = section == ns_s_qd ? 0 : 1,
        .type = type,
        .name = ns_rr_name(record),
        .text = text,
        .data = section == ns_s_qd ? NULL : ns_rr_rdata(record),
        .length = section == ns_s_qd ? 0 : ns_rr_rdlen(record)};
    if (!visit(context, &seen)) return 0;
  }
  return 0;
}

int innkeeper_dns_read(
    const uint8_t *bytes, int length, void *context, int (*visit)(void *, const innkeeper_dns_record *)) {
  ns_msg message;
  if (ns_initparse(bytes, length, &message) != 0 || !ns_msg_getflag(message, ns_f_qr)) return -1;
  if (ns_msg_count(message, ns_s_qd) != 1) return -1;
  if (visit_section(&message, ns_s_qd, context, visit) != 0) return -1;
  if (visit_section(&message, ns_s_an, context, visit) != 0) return -1;
  return ns_msg_getflag(message, ns_f_rcode);
}

int innkeeper_dns_servers(char *room, int size) {
  struct __res_state state;
  memset(&state, 0, sizeof state);
  room[0] = 0;
  if (res_ninit(&state) != 0) return 0;
  int count = 0;
  for (int index = 0; index < state.nscount && index < MAXNS; index++) {
    char text[INET6_ADDRSTRLEN];
    const void *address = &state.nsaddr_list[index].sin_addr;
    int family = state.nsaddr_list[index].sin_family;
    if (family != AF_INET) {
      const struct sockaddr_in6 *longer = state._u._ext.nsaddrs[index];
      if (longer == NULL) continue;
      family = AF_INET6;
      address = &longer->sin6_addr;
    }
    if (inet_ntop(family, address, text, sizeof text) == NULL) continue;
    int used = (int)strlen(room);
    if (used + (int)strlen(text) + 2 > size) break;
    snprintf(room + used, size - used, "%s\n", text);
    count++;
  }
  res_nclose(&state);
  return count;
}
