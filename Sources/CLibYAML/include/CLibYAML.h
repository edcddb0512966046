#ifndef CLibYAML_h
#define CLibYAML_h

#include <stddef.h>
#include <yaml.h>

// A parser of UTF-8 text at a place that does not change: libyaml keeps pointers into it. Null without memory.
// The bytes must live as long as the parser.
yaml_parser_t *CLibYAML_parser(const unsigned char *bytes, size_t count);
void CLibYAML_release(yaml_parser_t *parser);

#endif
