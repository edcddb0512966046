#include "CLibYAML.h"

#include <stdlib.h>

yaml_parser_t *CLibYAML_parser(const unsigned char *bytes, size_t count) {
    yaml_parser_t *parser = malloc(sizeof *parser);
    if (!parser) return NULL;
    if (!yaml_parser_initialize(parser)) {
        free(parser);
        return NULL;
    }
    // Told, not guessed from the first bytes.
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, bytes, count);
    return parser;
}

void CLibYAML_release(yaml_parser_t *parser) {
    yaml_parser_delete(parser);
    free(parser);
}
