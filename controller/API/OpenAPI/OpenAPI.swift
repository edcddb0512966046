import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

/// The OpenAPI 3.1 document, made from the same endpoints as the router, so that it cannot say anything else.
enum OpenAPI {
    static func document(of endpoints: [Endpoint], _ products: [Product]) -> [UInt8] {
        var schemas = SchemaCatalogue()
        var paths = JSONObject()
        for endpoint in endpoints {
            var path = paths[endpoint.path]?.asObject ?? [:]
            path[endpoint.method.rawValue.lowercased()] = operation(endpoint, &schemas)
            paths[endpoint.path] = .object(path)
        }
        let problem = schemas.schema(of: Problem.self)
        schemas.describe(products)
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
            let access = description.access ?? "Needs a key with the scope `\(scope.rawValue)`."
            let customers =
                description.isForCustomers
                ? "Keys that are bound to a customer get what is his." : "Closed to keys that are bound to a customer."
            operation["description"] = .string("\(access) \(customers)")
        } else {
            operation["security"] = []
        }
        let parameters = parameters(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = description.body {
            operation["requestBody"] = [
                "required": .bool(!description.isBodyOptional),
                "content": .object(content(endpoint, schemas.schema(of: body, isAsked: true))),
            ]
        }
        var responses: JSONObject = [String(description.status): answer(description, &schemas)]
        if let repeated = description.repeated {
            responses[String(repeated)] = answer(description, &schemas, "It was done before; this is what it made")
        }
        if !endpoint.isChange, description.answer != nil {
            responses["304"] = ["description": "It is as the tag of If-None-Match says"]
        }
        responses["default"] = ["$ref": "#/components/responses/Problem"]
        operation["responses"] = .object(responses)
        return .object(operation)
    }

    private static func content(_ endpoint: Endpoint, _ schema: JSONValue) -> JSONObject {
        var content: JSONObject = ["application/json": ["schema": schema]]
        if endpoint.method == .patch { content[StrictBody.mergePatch] = ["schema": schema] }
        return content
    }

    private static func answer(
        _ description: Endpoint.Description, _ schemas: inout SchemaCatalogue, _ words: String = "Done"
    ) -> JSONValue {
        guard description.status != 204 else { return ["description": "Done"] }
        var media: JSONObject = [:]
        if let answer = description.answer { media["schema"] = schemas.schema(of: answer) }
        return ["description": .string(words), "content": .object([description.mediaType: .object(media)])]
    }

    private static func parameters(_ endpoint: Endpoint) -> [JSONValue] {
        // What is no name at all is refused before it is looked for.
        let name: JSONValue = ["type": "string", "minLength": 1, "pattern": #"^[^\u0000-\u001f\u007f]{1,256}$"#]
        var parameters: [JSONValue] = endpoint.parameters.map { parameter in
            ["name": .string(parameter), "in": "path", "required": true, "schema": name]
        }
        parameters += endpoint.description.query.map(\.described)
        if endpoint.isChange {
            parameters.append([
                "name": "Idempotency-Key", "in": "header",
                "schema": ["type": "string", "pattern": "^[!-~]{1,255}$"],
                "description": "The same key and request again is answered with the first answer.",
            ])
        }
        return parameters + (endpoint.description.isConditional ? conditions : [])
    }

    private static let conditions: [JSONValue] = [
        [
            "name": "If-Match", "in": "header", "schema": ["type": "string", "pattern": #"^(\*|"[!#-~]*")$"#],
            "description": "Only if it is as the tag of an earlier answer says; else 412.",
        ],
        [
            "name": "If-None-Match", "in": "header", "schema": ["type": "string", "pattern": #"^(\*|"[!#-~]*")$"#],
            "description": "With *: only if there is none.",
        ],
    ]

    /// `post_services_service_suspend`.
    private static func name(_ endpoint: Endpoint) -> String {
        let words = endpoint.path.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
        return ([endpoint.method.rawValue.lowercased()] + words.filter { $0 != "api" && $0 != "v1" })
            .joined(separator: "_")
    }
}
