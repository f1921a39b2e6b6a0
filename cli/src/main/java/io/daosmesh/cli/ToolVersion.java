package io.daosmesh.cli;

import io.daosmesh.model.release.Release;
import picocli.CommandLine.IVersionProvider;

/** The release that all tools name as theirs. */
public final class ToolVersion implements IVersionProvider {
    public static final String VERSION = Release.own().text();

    @Override
    public String[] getVersion() {
        return new String[] {"daos " + VERSION};
    }
}
