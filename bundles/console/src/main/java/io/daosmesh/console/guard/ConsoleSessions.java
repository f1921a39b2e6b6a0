package io.daosmesh.console.guard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of every line that a session executes: gates the sessions of viewers and managers before their first one, and keeps the
 * record of what does more than look. Threads: those of the sessions.
 */
@Component(immediate = true)
public final class ConsoleSessions implements CommandSessionListener {
    private static final Logger log = LoggerFactory.getLogger(ConsoleSessions.class);

    private final ConfigurationAdmin admin;
    private final Set<String> initScripts;

    @Activate
    public ConsoleSessions(@Reference ConfigurationAdmin admin) {
        this.admin = admin;
        Path etc = Path.of(System.getProperty("karaf.etc", "etc"));
        initScripts = Stream.of(
                        System.getProperty("karaf.shell.init.script", "").split("[,\\s]+"))
                .filter(name -> !name.isEmpty())
                .map(name -> scriptText(etc.resolve(name)))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** What each session executes at its start; the shell drops its comments and sets its blanks anew. */
    private static String scriptText(Path file) {
        try {
            return withoutBlanks(Files.readAllLines(file).stream()
                    .filter(line -> !line.startsWith("//"))
                    .collect(Collectors.joining()));
        } catch (IOException e) {
            log.warn("the console's {} cannot be read: {}", file, e.toString());
            return "";
        }
    }

    @Override
    public void beforeExecute(CommandSession session, CharSequence line) {
        SentCommand.executes(session);
        ConsoleUser user = ConsoleUser.current();
        if (!user.mayScript()) LineGate.install(session);
        // also before: what ends the node, or replaces this bundle, has no afterwards
        if (changes(line)) Audit.record(user, line, "started");
    }

    @Override
    public void afterExecute(CommandSession session, CharSequence line, Exception failure) {
        boolean isRefused = failure instanceof SecurityException
                || failure.getClass().getSimpleName().equals("CommandNotFoundException");
        if (isRefused) Audit.refused(ConsoleUser.current(), line.toString(), String.valueOf(failure.getMessage()));
        else if (changes(line)) Audit.record(ConsoleUser.current(), line, "failed: " + failure);
    }

    @Override
    public void afterExecute(CommandSession session, CharSequence line, Object result) {
        if (changes(line)) Audit.record(ConsoleUser.current(), line, "done");
    }

    private static String withoutBlanks(String text) {
        return text.replaceAll("\\s", "");
    }

    private boolean changes(CharSequence line) {
        if (line.toString().isBlank() || initScripts.contains(withoutBlanks(line.toString()))) return false;
        try {
            return !CommandRoles.read(admin).onlyLooks(PlainLine.of(line));
        } catch (IOException | IllegalStateException e) {
            log.warn("the command ACLs cannot be read: {}", e.toString());
            return true;
        }
    }
}
