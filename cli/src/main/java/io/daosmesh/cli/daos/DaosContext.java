package io.daosmesh.cli.daos;

import io.daosmesh.cli.DaosConfig;
import io.daosmesh.client.ClientConfig;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/**
 * The world around one command: what a test replaces. Immutable.
 *
 * @param isTerminal somebody watches: a progress bar is welcome
 * @param connector opens the connection that a configuration describes, as its own agent
 * @param agents opens one through the agent that listens at a socket
 */
public record DaosContext(
        InputStream in,
        PrintStream out,
        PrintStream err,
        boolean isTerminal,
        Map<String, String> environment,
        Function<DaosConfig, Connection> connector,
        Function<Path, Connection> agents) {

    /** An open transport; closing it ends its threads. */
    public interface Connection extends AutoCloseable {
        ClientConfig config();

        @Override
        void close();
    }
}
