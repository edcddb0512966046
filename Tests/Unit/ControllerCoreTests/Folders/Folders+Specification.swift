import ControllerCore
import WireProtocol

extension Folders {
    static let specification = Specification(
        schema: [
            "type": "object", "additionalProperties": false, "required": ["files"],
            "properties": [
                "files": ["type": "integer", "title": "Files", "minimum": 1, "maximum": 1000],
                "password": ["type": "string", "minLength": 8, "writeOnly": true],
                "labels": ["type": "object", "additionalProperties": ["type": "string"]],
            ],
        ], overridable: ["files", "password"], upgradable: ["files"], secrets: ["password"],
        read: { fields, path throws(CoreError) in
            do {
                try fields.allowOnly(["files", "password", "labels"])
                _ = try fields.integer("files", in: 1...1000)
                _ = try fields.optionalString("password")
                return fields
            } catch let error as FieldError {
                throw .invalid(
                    field: "\(path).\(error.path)", problem: error.sentence)
            } catch {
                throw .invalid(field: path, problem: "\(error)")
            }
        })
}
