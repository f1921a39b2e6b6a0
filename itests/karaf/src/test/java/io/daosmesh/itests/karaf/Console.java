package io.daosmesh.itests.karaf;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.PrivilegedExceptionAction;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.security.auth.Subject;
import org.apache.karaf.jaas.boot.principal.RolePrincipal;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.api.console.SessionFactory;

/** The node's console without a terminal, as a viewer has it. */
final class Console {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);

    private static final Subject VIEWER = new Subject(true, Set.of(new RolePrincipal("viewer")), Set.of(), Set.of());

    private final Node node;

    Console(Node node) {
        this.node = node;
    }

    List<String> missing(String... commands) {
        return node.use(
                SessionFactory.class,
                factory -> Arrays.stream(commands)
                        .filter(c -> factory.getRegistry().getCommand("daos", c) == null)
                        .toList());
    }

    /** Runs the command until its answer contains the text (in any case). */
    void expect(String command, String text) {
        String wanted = text.toLowerCase(Locale.ROOT);
        String[] last = {""};
        boolean isMet = Await.isMet(ANSWER_MAX, () -> {
            last[0] = run(command);
            return last[0].toLowerCase(Locale.ROOT).contains(wanted);
        });
        if (!isMet) throw new AssertionError(command + " did not answer with '" + text + "' but:\n" + last[0]);
    }

    private String run(String command) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            node.use(SessionFactory.class, factory -> {
                try (Session session = factory.create(new ByteArrayInputStream(new byte[0]), out, out)) {
                    return Subject.doAs(VIEWER, (PrivilegedExceptionAction<Object>) () -> session.execute(command));
                } catch (Exception e) {
                    out.println(e);
                    return e;
                }
            });
            // gogo's pipe threads may still be writing when execute returns
            Await.isMet(Duration.ofSeconds(2), () -> bytes.size() > 0);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
