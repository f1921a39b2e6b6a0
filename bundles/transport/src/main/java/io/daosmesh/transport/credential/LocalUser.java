package io.daosmesh.transport.credential;

import io.daosmesh.model.access.User;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The user of this process, for a tool that acts as its own agent. Stateless. Reads what the kernel and the machine's group
 * file say, without a child process: a tool has no time for one.
 */
public final class LocalUser {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path GROUPS = Path.of("/etc/group");

    private LocalUser() {}

    public static User get() {
        List<String> ids = groupIds();
        Map<String, String> names = names(ids);
        List<String> groups = new ArrayList<>();
        for (String id : ids) {
            if (groups.size() < User.GROUPS_MAX) groups.add(User.principal(names.getOrDefault(id, id), id));
        }
        String user = User.principal(System.getProperty("user.name", ""), "nobody");
        return new User(user, groups.isEmpty() ? user : groups.get(0), groups, machine());
    }

    public static String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    /** The effective one first. */
    private static List<String> groupIds() {
        List<String> ids = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(STATUS)) {
                String[] words = line.split("\\s+");
                if (line.startsWith("Gid:") && words.length > 2) ids.add(0, words[2]);
                if (line.startsWith("Groups:")) ids.addAll(List.of(words).subList(1, words.length));
            }
        } catch (IOException e) {
            return List.of(); // not Linux
        }
        return ids.stream().distinct().toList();
    }

    private static Map<String, String> names(List<String> ids) {
        Map<String, String> names = new HashMap<>();
        try (Stream<String> lines = Files.lines(GROUPS, StandardCharsets.ISO_8859_1)) {
            lines.map(l -> l.split(":"))
                    .filter(f -> f.length >= 3 && ids.contains(f[2]))
                    .forEach(f -> names.putIfAbsent(f[2], f[0]));
        } catch (IOException e) {
            return names; // the numbers stand for themselves
        }
        return names;
    }
}
