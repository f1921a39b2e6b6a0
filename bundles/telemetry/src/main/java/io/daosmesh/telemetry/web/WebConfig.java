package io.daosmesh.telemetry.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.telemetry.http.TlsTerms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A checked web configuration file: the format that Prometheus's exporters share, as far as it means something for one page
 * over HTTP/1.1. Immutable.
 *
 * @param headers header fields of every answer
 * @param users bcrypt hashes by name
 * @param files what it was read from
 */
record WebConfig(Optional<TlsTerms> tls, Map<String, String> headers, Map<String, String> users, List<Path> files) {
    private static final int FILE_BYTES_MAX = 1 << 20;
    private static final int USERS_MAX = 100;
    private static final Set<String> HEADERS = Set.of(
            "Content-Security-Policy",
            "X-Frame-Options",
            "X-Content-Type-Options",
            "X-XSS-Protection",
            "Strict-Transport-Security");
    private static final Pattern HEADER_VALUE = Pattern.compile("[ -~]{1,1000}");
    private static final Pattern HASH = Pattern.compile("\\$2[abxy]\\$([0-9]{2})\\$[./A-Za-z0-9]{53}");
    private static final int COST_MIN = 4;
    /** Each step doubles it; 14 is about a second on one processor that serves data otherwise. */
    private static final int COST_MAX = 14;

    WebConfig {
        headers = Map.copyOf(headers);
        users = Map.copyOf(users);
        files = List.copyOf(files);
    }

    /** INVAL, NO_CERT or BAD_CERT with the key or file that is wrong. */
    static WebConfig read(Path file) {
        Section top = new Section(file, tree(file), "");
        top.refuseUnknown(Set.of("tls_server_config", "http_server_config", "basic_auth_users"), Set.of("rate_limit"));
        Optional<TlsSection> tls = top.section("tls_server_config").map(TlsSection::read);
        List<Path> files = new java.util.ArrayList<>(List.of(file));
        tls.ifPresent(t -> files.addAll(t.files()));
        return new WebConfig(
                tls.map(TlsSection::terms),
                top.section("http_server_config").map(WebConfig::headers).orElse(Map.of()),
                top.section("basic_auth_users").map(WebConfig::users).orElse(Map.of()),
                files);
    }

    private static JsonNode tree(Path file) {
        ObjectMapper mapper = new ObjectMapper(YAMLFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build());
        mapper.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        try {
            if (Files.size(file) > FILE_BYTES_MAX) throw bad(file, "is longer than 1 MiB");
            JsonNode tree = mapper.readTree(Files.readString(file));
            if (tree == null || tree.isMissingNode() || tree.isNull()) return mapper.createObjectNode();
            if (!tree.isObject()) throw bad(file, "holds no mapping");
            return tree;
        } catch (JsonProcessingException e) {
            String place =
                    e.getLocation() == null ? "" : " line " + e.getLocation().getLineNr();
            throw bad(file, place + " is not YAML");
        } catch (IOException e) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "%s cannot be read (%s)",
                            file,
                            e.getClass().getSimpleName())
                    .remedy("check path and permissions of telemetry_config.web_config_file")
                    .asException();
        }
    }

    private static Map<String, String> headers(Section section) {
        section.refuseUnknown(Set.of("http2", "headers"), Set.of());
        if (section.flag("http2", false)) throw section.bad("http2", "this page is served with HTTP/1.1 only");
        Optional<Section> given = section.section("headers");
        if (given.isEmpty()) return Map.of();
        given.get().refuseUnknown(HEADERS, Set.of());
        Map<String, String> all = given.get().all();
        all.values().removeIf(String::isEmpty);
        all.forEach((name, value) -> {
            if (!HEADER_VALUE.matcher(value).matches()) throw given.get().bad(name, "is no value of a header field");
        });
        return all;
    }

    private static Map<String, String> users(Section section) {
        Map<String, String> users = section.all();
        if (users.size() > USERS_MAX) throw section.bad("", "more than " + USERS_MAX + " users");
        users.forEach((name, hash) -> {
            var match = HASH.matcher(hash);
            if (name.isEmpty() || name.contains(":")) throw section.bad(name, "is no name of a user");
            if (!match.matches()) throw section.bad(name, "wants a bcrypt hash, made with htpasswd -nBC 10 NAME");
            int cost = Integer.parseInt(match.group(1));
            if (cost < COST_MIN || cost > COST_MAX) {
                throw section.bad(name, "the cost of a hash is " + COST_MIN + " to " + COST_MAX + ", not " + cost);
            }
        });
        return users;
    }

    private static RuntimeException bad(Path file, String what) {
        return Fault.of(FaultCode.INVAL, "%s%s%s", file, what.startsWith(" ") ? "" : " ", what)
                .remedy("correct the file, see docs/configuration.md")
                .asException();
    }
}
