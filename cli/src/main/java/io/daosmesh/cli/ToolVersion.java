package io.daosmesh.cli;

/** The release that all tools name as theirs. */
public final class ToolVersion {
    public static final String VERSION = "0.1.0-SNAPSHOT";

    private ToolVersion() {}
}
