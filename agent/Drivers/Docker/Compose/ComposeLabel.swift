/// What every version of compose writes on the things that it makes.
enum ComposeLabel {
    static let project = "com.docker.compose.project"
    static let service = "com.docker.compose.service"
    static let number = "com.docker.compose.container-number"
    static let oneOff = "com.docker.compose.oneoff"
    static let folder = "com.docker.compose.project.working_dir"
}
