import APIModels
import HTTPTypes
import Hummingbird

/// The router of a listener, made from its lists of endpoints.
///
/// Paths are told apart first and methods then, so that whatever method is asked for, the answer knows what there is at the
/// path: HEAD wherever GET is, OPTIONS everywhere, and of all others what would have been right.
struct APIRouter: HTTPResponder {
    typealias Context = APIContext

    private let paths: RouterResponder<APIContext>

    /// - Parameter lists: a path belongs to the first of them that has it.
    init(_ lists: [EndpointList], _ pipeline: Pipeline) {
        let router = Router(context: APIContext.self)
        router.add(middleware: RequestLog(counters: pipeline.counters, lists: lists))
        var known: Set<String> = []
        for list in lists {
            let handler = RequestHandler(pipeline, list.authenticator)
            for (path, offered) in Dictionary(grouping: list.endpoints, by: \.path) where known.insert(path).inserted {
                let route = Route(offered: offered, handler: handler, errors: list.errors)
                router.on(RouterPath(path), method: Self.anyMethod) { request, context in
                    try await route.respond(to: request, context)
                }
            }
        }
        paths = router.buildResponder()
    }

    /// Under which all paths are kept.
    private static let anyMethod = HTTPRequest.Method.get

    func respond(to request: Request, context: APIContext) async throws -> Response {
        var (context, head) = (context, request.head)
        context.method = request.method
        head.method = Self.anyMethod
        let response = try await paths.respond(to: Request(head: head, body: request.body), context: context)
        guard context.method == .head else { return response }
        // That to GET without its body, whatever it says; of a stream nobody knows the length.
        var answer = response.createHeadResponse()
        answer.headers[.contentLength] = response.headers[.contentLength]
        return answer
    }
}

/// What there is at one path.
private struct Route: Sendable {
    let offered: [Endpoint]
    let handler: RequestHandler
    let errors: ErrorShape

    func respond(to request: Request, _ context: APIContext) async throws -> Response {
        let method = context.method == .head ? .get : context.method
        if let endpoint = offered.first(where: { $0.method == method }) {
            return try await handler.respond(to: request, context, endpoint)
        }
        guard context.method == .options else { return refusal(of: context.method, request) }
        return Response(status: .noContent, headers: [.allow: allowed, .cacheControl: "no-store"])
    }

    private var allowed: String {
        var names = Set(offered.map(\.method.rawValue))
        if names.contains("GET") { names.insert("HEAD") }
        names.insert("OPTIONS")
        return names.sorted().joined(separator: ", ")
    }

    private func refusal(of method: HTTPRequest.Method, _ request: Request) -> Response {
        let shown = String(method.rawValue.prefix(20))
        var problem = Problem(.methodNotAllowed, "\(shown) is not offered here, but \(allowed)")
        problem.instance = request.uri.path
        var response = errors.response(problem)
        response.headers[.allow] = allowed
        return response
    }
}
