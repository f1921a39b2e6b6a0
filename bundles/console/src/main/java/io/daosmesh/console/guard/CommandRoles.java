package io.daosmesh.console.guard;

import java.io.IOException;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Karaf's command ACLs, read for one question: does a line only look? A command looks when viewers may use it, whatever its
 * arguments; of the shell's own ones, with some arguments. Immutable.
 */
final class CommandRoles {
    private static final String PREFIX = "org.apache.karaf.command.acl.";
    private static final String VIEWER = "viewer";
    private static final String SHELL = "shell";

    private final Map<String, Map<String, String>> rules; // of each scope

    CommandRoles(Map<String, Map<String, String>> rules) {
        this.rules = rules;
    }

    static CommandRoles read(ConfigurationAdmin admin) throws IOException {
        Map<String, Map<String, String>> rules = new HashMap<>();
        try {
            Configuration[] found = admin.listConfigurations("(service.pid=" + PREFIX + "*)");
            for (Configuration one : found == null ? new Configuration[0] : found) {
                Map<String, String> scope = new HashMap<>();
                Dictionary<String, Object> properties = one.getProperties();
                if (properties == null) continue;
                for (String key : Collections.list(properties.keys())) {
                    scope.put(key, String.valueOf(properties.get(key)));
                }
                rules.put(one.getPid().substring(PREFIX.length()), scope);
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
        return new CommandRoles(rules);
    }

    boolean onlyLooks(PlainLine line) {
        return line.isPlain() && line.commands().stream().allMatch(words -> looks(words.get(0)));
    }

    private boolean looks(String command) {
        int colon = command.lastIndexOf(':');
        String name = command.substring(colon + 1);
        if (colon >= 0 && !command.startsWith("*:")) return looks(command.substring(0, colon), name);
        List<String> scopes =
                rules.keySet().stream().filter(s -> knows(s, name)).toList();
        return !scopes.isEmpty() && scopes.stream().allMatch(s -> looks(s, name));
    }

    private boolean knows(String scope, String name) {
        return rules.getOrDefault(scope, Map.of()).keySet().stream()
                .anyMatch(k -> k.equals(name) || k.startsWith(name + "["));
    }

    private boolean looks(String scope, String name) {
        Map<String, String> of = rules.getOrDefault(scope, Map.of());
        if (isViewer(of.getOrDefault(name, ""))) return true;
        return scope.equals(SHELL)
                && of.entrySet().stream().anyMatch(e -> e.getKey().startsWith(name + "[") && isViewer(e.getValue()));
    }

    private static boolean isViewer(String roles) {
        return List.of(roles.split("[\\s,]+")).contains(VIEWER);
    }
}
