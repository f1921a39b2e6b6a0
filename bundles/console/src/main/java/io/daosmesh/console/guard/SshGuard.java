package io.daosmesh.console.guard;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import javax.security.auth.Subject;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.apache.sshd.server.command.CommandFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Closes what Karaf's ssh server leaves open to everybody who may log in: forwarding of ports, agents and displays, guesses of
 * passwords and connections without limit, and commands beside the line editor. Karaf registers the server before it listens.
 * Owner: the thread that starts and stops bundles.
 */
@Component(
        immediate = true,
        service = {})
public final class SshGuard {
    private static final Duration LOGIN_MAX = Duration.ofSeconds(30);
    private static final int LOGINS_MAX = 3; // a connection
    private static final int SESSIONS_MAX = 32; // together, of one user
    /** Where a server keeps what Karaf gave it, for the next version of this bundle. */
    private static final String COMMANDS = "daosmesh.commands";

    private static final String SHELLS = "daosmesh.shells";

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindServer(SshServer server) {
        server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        server.setAgentFactory(null);
        CoreModuleProperties.AUTH_TIMEOUT.set(server, LOGIN_MAX);
        CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, LOGINS_MAX);
        CoreModuleProperties.MAX_CONCURRENT_SESSIONS.set(server, SESSIONS_MAX);
        server.setCommandFactory(new Gate(kept(server, COMMANDS, server.getCommandFactory())));
        server.setShellFactory(kept(server, SHELLS, server.getShellFactory()));
    }

    /** An earlier version of this bundle has left none in its place, and kept it. */
    @SuppressWarnings("unchecked")
    private static <T> T kept(SshServer server, String name, @Nullable T now) {
        Map<String, Object> kept = server.getProperties();
        if (now != null) kept.putIfAbsent(name, now);
        return (T) requireNonNull(kept.get(name), name);
    }

    /** Without this bundle nothing is gated or recorded: the server takes nothing more until a new version has come. */
    void unbindServer(SshServer server) {
        server.setCommandFactory(null);
        server.setShellFactory(null);
    }

    /** Commands given as such, not typed into the line editor. */
    private record Gate(CommandFactory open) implements CommandFactory {
        @Override
        public Command createCommand(ChannelSession channel, String line) throws IOException {
            ConsoleUser user = ConsoleUser.of(subject(channel));
            String problem = user.mayScript() ? null : PlainLine.of(line).problem();
            if (problem == null) return new SentCommand(open.createCommand(channel, line));
            Audit.refused(user, line, problem);
            return new Refusal(LineGate.refusal(problem));
        }

        /** Where Karaf's login leaves it: under a key that is not exported. */
        private static Subject subject(ChannelSession channel) {
            var session = channel.getServerSession();
            for (AttributeRepository.AttributeKey<?> key : session.attributeKeys()) {
                if (session.getAttribute(key) instanceof Subject subject) return subject;
            }
            return new Subject();
        }
    }

    /** Says why and ends with status 1. */
    private static final class Refusal implements Command {
        private final String text;
        private OutputStream err = OutputStream.nullOutputStream();
        private ExitCallback exit = (status, message, close) -> {};

        Refusal(String text) {
            this.text = text;
        }

        @Override
        public void setInputStream(InputStream in) {}

        @Override
        public void setOutputStream(OutputStream out) {}

        @Override
        public void setErrorStream(OutputStream err) {
            this.err = err;
        }

        @Override
        public void setExitCallback(ExitCallback exit) {
            this.exit = exit;
        }

        @Override
        public void start(ChannelSession channel, Environment environment) throws IOException {
            err.write((text + "\n").getBytes(StandardCharsets.UTF_8));
            err.flush();
            exit.onExit(1, text);
        }

        @Override
        public void destroy(ChannelSession channel) {}
    }
}
