import APIModels
import HTTPTypes
import WireProtocol

/// The OpenAPI 3.1 document, made from the same endpoints as the router, so that it cannot say anything else.
enum OpenAPI {
    static func document(of endpoints: [Endpoint]) -> [UInt8] {
        var schemas = SchemaCatalogue()
        var paths = JSONObject()
        for endpoint in endpoints {
            var path = paths[endpoint.path]?.asObject ?? [:]
            path[endpoint.method.rawValue.lowercased()] = operation(endpoint, &schemas)
            paths[endpoint.path] = .object(path)
        }
        let problem = schemas.schema(of: Problem.self)
        let document: JSONObject = [
            "openapi": "3.1.0",
            "info": [
                "title": "Innkeeper", "version": "1",
                "description": "Nodes, services and the operations on them. Errors are problem details (RFC 9457).",
            ],
            "security": [["key": []]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": ["key": ["type": "http", "scheme": "bearer"]],
                "responses": [
                    "Problem": [
                        "description": "Why not",
                        "content": .object([Problem.mediaType: ["schema": problem]]),
                    ]
                ],
                "schemas": .object(schemas.schemas),
            ],
        ]
        return JSONValue.object(document).encoded
    }

    private static func operation(_ endpoint: Endpoint, _ schemas: inout SchemaCatalogue) -> JSONValue {
        let description = endpoint.description
        var operation: JSONObject = [
            "operationId": .string(name(endpoint)), "summary": .string(description.summary),
            "tags": [.string(description.tag)],
        ]
        if let scope = endpoint.scope {
            operation["description"] = .string(
                description.access ?? "Needs a key with the scope `\(scope.rawValue)`.")
        } else {
            operation["security"] = []
        }
        let parameters = parameters(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = description.body {
            operation["requestBody"] = [
                "required": .bool(!description.isBodyOptional),
                "content": ["application/json": ["schema": schemas.schema(of: body)]],
            ]
        }
        operation["responses"] = .object([
            String(description.status): answer(description, &schemas),
            "default": ["$ref": "#/components/responses/Problem"],
        ])
        return .object(operation)
    }

    private static func answer(_ description: Endpoint.Description, _ schemas: inout SchemaCatalogue) -> JSONValue {
        guard description.status != 204 else { return ["description": "Done"] }
        var media: JSONObject = [:]
        if let answer = description.answer { media["schema"] = schemas.schema(of: answer) }
        return ["description": "Done", "content": .object([description.mediaType: .object(media)])]
    }

    private static func parameters(_ endpoint: Endpoint) -> [JSONValue] {
        let text: JSONValue = ["type": "string"]
        var parameters: [JSONValue] = endpoint.parameters.map { name in
            ["name": .string(name), "in": "path", "required": true, "schema": text]
        }
        parameters += endpoint.description.query.map { name in
            ["name": .string(name), "in": "query", "schema": name == "limit" ? ["type": "integer"] : text]
        }
        if endpoint.isChange {
            parameters.append([
                "name": "Idempotency-Key", "in": "header", "schema": text,
                "description": "The same key and request again is answered with the first answer.",
            ])
        }
        return parameters
    }

    /// `post_services_service_suspend`.
    private static func name(_ endpoint: Endpoint) -> String {
        let words = endpoint.path.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
        return ([endpoint.method.rawValue.lowercased()] + words.filter { $0 != "api" && $0 != "v1" })
            .joined(separator: "_")
    }
}
