package io.daosmesh.admin;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.model.fault.Fault;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a fan-out brought back. Immutable.
 *
 * @param replies by address, in the order asked
 * @param errors by address, in the order asked
 * @param hosts every host asked: their names decide where a port has to be shown
 */
public record HostReplies<T>(Map<String, T> replies, Map<String, Fault> errors, List<String> hosts) {
    public HostReplies {
        replies = Collections.unmodifiableMap(new LinkedHashMap<>(replies));
        errors = Collections.unmodifiableMap(new LinkedHashMap<>(errors));
        hosts = List.copyOf(hosts);
    }

    /** Every host asked has either answered or failed. */
    public HostReplies(Map<String, T> replies, Map<String, Fault> errors) {
        this(
                replies,
                errors,
                Stream.concat(replies.keySet().stream(), errors.keySet().stream())
                        .toList());
    }

    /** The same with less or other content. */
    public HostReplies<T> withReplies(Map<String, T> other) {
        return new HostReplies<>(other, errors, hosts);
    }

    /** Hosts by equal error text. */
    public Map<String, List<String>> errorGroups() {
        Map<String, List<String>> groups = new TreeMap<>();
        errors.forEach((host, fault) ->
                groups.computeIfAbsent(fault.message(), m -> new ArrayList<>()).add(host));
        return groups;
    }

    /** As shown beside a table row or above a block. */
    public String display(List<String> hosts) {
        return HostList.display(hosts, hosts());
    }
}
