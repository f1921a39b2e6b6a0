package io.daosmesh.console.guard;

import java.security.AccessController;
import java.security.Principal;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.security.auth.Subject;
import org.apache.karaf.jaas.boot.principal.ClientPrincipal;
import org.apache.karaf.jaas.boot.principal.RolePrincipal;
import org.apache.karaf.jaas.boot.principal.UserPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who is at the console, from what the login left behind: nothing of it is taken from the session's variables, which are the
 * user's own. Immutable.
 *
 * @param address of the ssh client, {@code local} for a console without ssh
 */
public record ConsoleUser(String name, String address, Set<String> roles) {
    static final String ADMIN = "admin";
    /** May do what the node's own process may: what others are refused whatever their role. */
    static final String HOST = "host";

    /** The user on whose behalf this thread works; nobody, without roles, when there is none. */
    @SuppressWarnings("removal") // Karaf runs sessions with Subject.doAs, and Java 17 has no other way to ask
    public static ConsoleUser current() {
        return of(Subject.getSubject(AccessController.getContext()));
    }

    static ConsoleUser of(@Nullable Subject subject) {
        if (subject == null) return new ConsoleUser("-", "local", Set.of());
        Set<String> roles = subject.getPrincipals(RolePrincipal.class).stream()
                .map(Principal::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        String address = subject.getPrincipals(ClientPrincipal.class).stream()
                .map(client -> client.getName().replaceFirst("^ssh\\(/?(.*)\\)$", "$1"))
                .findFirst()
                .orElse("local");
        String name = subject.getPrincipals(UserPrincipal.class).stream()
                .map(Principal::getName)
                .findFirst()
                .orElse("-");
        return new ConsoleUser(name, address, roles);
    }

    /** True for those who get the whole language of the shell; Karaf's ACLs still say which commands. */
    boolean mayScript() {
        return roles.contains(ADMIN) || roles.contains(HOST);
    }
}
