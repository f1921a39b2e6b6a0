package io.daosmesh.storage.engine;

/** A process that a test starts and kills. Stateless. */
final class TestChild {
    private TestChild() {}

    /** Does not outlive a test run that was killed itself. */
    static void endWithParent() {
        ProcessHandle.current()
                .parent()
                .ifPresent(p -> p.onExit().thenRun(() -> Runtime.getRuntime().halt(1)));
    }
}
