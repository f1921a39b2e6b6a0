package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.fail;

import io.daosmesh.model.rpc.RpcMethod;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What {@code role-table.txt} has decided about each RPC. Immutable. */
final class RoleTable {
    /** Whoever opens a connection, by what it can show. */
    enum Caller {
        SERVER,
        ADMIN,
        AGENT,
        /** A credential that an agent has signed, no certificate. */
        USER,
        NOBODY
    }

    private record Line(Set<Caller> callers, boolean isOnClearChannels, boolean isAudited) {}

    private final Map<RpcMethod, Line> lines = new EnumMap<>(RpcMethod.class);

    private RoleTable(String text) {
        for (String line : text.lines().toList()) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] words = line.trim().split(" +");
            Set<Caller> callers = EnumSet.noneOf(Caller.class);
            for (int i = 3; i < words.length; i++) callers.add(Caller.valueOf(words[i].toUpperCase(Locale.ROOT)));
            boolean isClear = words[1].equals("clear");
            if (!isClear && !words[1].equals("tls")) fail("role-table.txt: clear or tls, not " + words[1]);
            boolean isAudited = words[2].equals("audit");
            if (!isAudited && !words[2].equals("-")) fail("role-table.txt: audit or -, not " + words[2]);
            if (lines.put(RpcMethod.valueOf(words[0]), new Line(callers, isClear, isAudited)) != null) {
                fail("role-table.txt has two lines about " + words[0]);
            }
        }
        for (RpcMethod method : RpcMethod.values()) {
            if (!lines.containsKey(method))
                fail("decide who may call " + method + ": it has no line in role-table.txt");
        }
    }

    static RoleTable of(String text) {
        return new RoleTable(text);
    }

    static String text() throws IOException {
        try (InputStream in = RoleTable.class.getResourceAsStream("role-table.txt")) {
            if (in == null) throw new IOException("role-table.txt is missing");
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    boolean isAudited(RpcMethod method) {
        return lines.get(method).isAudited;
    }

    /** @param isClearChannel false where all RPCs travel */
    boolean mayCall(RpcMethod method, Caller caller, boolean isClearChannel) {
        Line line = lines.get(method);
        return line.callers.contains(caller) && (!isClearChannel || line.isOnClearChannels);
    }
}
