//! The tables, for diesel.
//!
//! Generated from the migrations; never edited. `UPDATE=1 cargo test --test schema` writes it anew. Search columns are
//! left out: nothing reads them but SQL.

#![expect(
    missing_docs,
    reason = "tables and columns are explained in the migrations"
)]

diesel::table! {
    areas (code) {
        code -> Text,
        kind -> Text,
        name -> Text,
        parent_code -> Nullable<Text>,
        scheme -> Text,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        successor_code -> Nullable<Text>,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Uuid,
        at -> Timestamptz,
        action -> Text,
        client_id -> Text,
        request_id -> Nullable<Uuid>,
        area_codes -> Array<Text>,
        detail -> Jsonb,
    }
}

diesel::table! {
    changes (entity_type, entity_key, scope) {
        entity_type -> Text,
        entity_key -> Text,
        scope -> Text,
        seq -> BigInt,
        op -> Text,
        version -> BigInt,
        client_id -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    checkpoints (id) {
        id -> Uuid,
        client_id -> Text,
        name -> Text,
        cursor -> Text,
        seq -> BigInt,
        note -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    client_secrets (id) {
        id -> Uuid,
        client_id -> Uuid,
        public_id -> Text,
        secret_hash -> Binary,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    clients (id) {
        id -> Uuid,
        client_id -> Text,
        name -> Text,
        permissions -> Array<Text>,
        areas -> Array<Text>,
        revoked_at -> Nullable<Timestamptz>,
        tokens_valid_after -> Timestamptz,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    collaboration_goals (collaboration_id, position) {
        collaboration_id -> Uuid,
        position -> Integer,
        audience -> Text,
        goal -> Text,
    }
}

diesel::table! {
    collaboration_members (collaboration_id, position) {
        collaboration_id -> Uuid,
        position -> Integer,
        municipality_code -> Text,
        region_code -> Text,
        role -> Text,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        agreement -> Nullable<Text>,
    }
}

diesel::table! {
    collaboration_regions (collaboration_id, region_code) {
        collaboration_id -> Uuid,
        region_code -> Text,
    }
}

diesel::table! {
    collaborations (id) {
        id -> Uuid,
        area_code -> Text,
        name -> Text,
        purpose -> Nullable<Text>,
        description -> Nullable<Text>,
        established -> Nullable<Text>,
        links -> Jsonb,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    culture_schools (id) {
        id -> Uuid,
        area_code -> Text,
        name -> Text,
        kind -> Text,
        opened_month -> Nullable<Text>,
        closed_month -> Nullable<Text>,
        website -> Nullable<Text>,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    earlier_observations (report_id, id, updated_at) {
        report_id -> Uuid,
        id -> Uuid,
        measure_code -> Text,
        area_code -> Text,
        basis -> Text,
        gender -> Text,
        age_band -> Text,
        subject -> Text,
        activity_form -> Text,
        value -> Nullable<Double>,
        status -> Text,
        precision -> Text,
        note -> Nullable<Text>,
        updated_at -> Timestamptz,
        until -> Timestamptz,
    }
}

diesel::table! {
    feed_epochs (number) {
        number -> Integer,
        id -> Uuid,
        identity -> Text,
        first_seq -> BigInt,
        started_at -> Timestamptz,
    }
}

diesel::table! {
    feed_retention (single) {
        single -> Bool,
        oldest_seq -> BigInt,
    }
}

diesel::table! {
    funding_lines (id) {
        id -> Uuid,
        project_id -> Nullable<Uuid>,
        collaboration_id -> Nullable<Uuid>,
        position -> Integer,
        funder_id -> Nullable<Uuid>,
        kind -> Text,
        amount_sek -> Nullable<BigInt>,
        period_kind -> Text,
        period -> Text,
        note -> Nullable<Text>,
        source_url -> Nullable<Text>,
    }
}

diesel::table! {
    history (entity_type, entity_key, version) {
        entity_type -> Text,
        entity_key -> Text,
        version -> BigInt,
        id -> Uuid,
        version_before -> Nullable<BigInt>,
        op -> Text,
        at -> Timestamptz,
        client_id -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        area_code -> Text,
        open -> Bool,
        row -> Jsonb,
    }
}

diesel::table! {
    idempotency_keys (client_id, key) {
        client_id -> Text,
        key -> Text,
        fingerprint -> Binary,
        status -> Nullable<Integer>,
        headers -> Jsonb,
        body -> Nullable<Binary>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    import_pieces (import_id, position) {
        import_id -> Uuid,
        position -> Integer,
        bytes -> Binary,
        unpacked -> Nullable<Integer>,
    }
}

diesel::table! {
    import_rows (import_id, position) {
        import_id -> Uuid,
        position -> BigInt,
        line -> Nullable<BigInt>,
        outcome -> Text,
        entity -> Nullable<Text>,
        version -> Nullable<BigInt>,
        errors -> Nullable<Jsonb>,
        existing -> Nullable<Jsonb>,
        given -> Nullable<Jsonb>,
        notes -> Nullable<Jsonb>,
        rows -> Integer,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        client_id -> Text,
        idempotency_key -> Text,
        fingerprint -> Binary,
        request_id -> Nullable<Uuid>,
        areas -> Array<Text>,
        resource -> Text,
        format -> Text,
        mode -> Text,
        strategy -> Text,
        dry_run -> Bool,
        submit -> Bool,
        scope -> Nullable<Array<Text>>,
        confirm_delete -> Nullable<BigInt>,
        queued -> Bool,
        size_bytes -> BigInt,
        state -> Text,
        total -> Nullable<BigInt>,
        done -> BigInt,
        counts -> Jsonb,
        headings -> Nullable<Jsonb>,
        faults -> Jsonb,
        holder -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        cancel_asked -> Bool,
        finished_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    measure_notes (measure_code, position) {
        measure_code -> Text,
        position -> Integer,
        mandatory -> Bool,
        area_code -> Nullable<Text>,
        period -> Nullable<Text>,
        text_sv -> Text,
        text_en -> Text,
        source_url -> Nullable<Text>,
    }
}

diesel::table! {
    measures (code) {
        code -> Text,
        kind -> Text,
        unit -> Text,
        label_sv -> Text,
        label_en -> Text,
        definition_sv -> Text,
        definition_en -> Text,
        numerator_code -> Nullable<Text>,
        denominator -> Nullable<Text>,
        denominator_age_band -> Nullable<Text>,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    observations (id) {
        id -> Uuid,
        report_id -> Uuid,
        measure_code -> Text,
        area_code -> Text,
        basis -> Text,
        gender -> Text,
        age_band -> Text,
        subject -> Text,
        activity_form -> Text,
        value -> Nullable<Double>,
        status -> Text,
        precision -> Text,
        note -> Nullable<Text>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    partners (id) {
        id -> Uuid,
        area_code -> Text,
        name -> Text,
        org_number -> Nullable<Text>,
        category -> Text,
        civil_society -> Bool,
        legal_form -> Nullable<Text>,
        collective -> Bool,
        description -> Nullable<Text>,
        website -> Nullable<Text>,
        contacts -> Jsonb,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    partnerships (id) {
        id -> Uuid,
        area_code -> Text,
        partner_id -> Uuid,
        project_id -> Nullable<Uuid>,
        collaboration_id -> Nullable<Uuid>,
        culture_school_id -> Nullable<Uuid>,
        role -> Text,
        form -> Nullable<Text>,
        description -> Nullable<Text>,
        valid_from -> Nullable<Text>,
        valid_to -> Nullable<Text>,
        continues_after_project -> Nullable<Bool>,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    populations (id) {
        id -> Uuid,
        area_code -> Text,
        year -> Integer,
        gender -> Text,
        age_from -> Integer,
        age_to -> Integer,
        value -> Integer,
        reference_date -> Date,
        source_id -> Uuid,
        note -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    project_areas (project_id, area_code) {
        project_id -> Uuid,
        area_code -> Text,
    }
}

diesel::table! {
    project_date_claims (project_id, position) {
        project_id -> Uuid,
        position -> Integer,
        starts_on -> Nullable<Text>,
        ends_on -> Nullable<Text>,
        source_url -> Text,
        chosen -> Bool,
    }
}

diesel::table! {
    projects (id) {
        id -> Uuid,
        area_code -> Text,
        title -> Text,
        owner_id -> Nullable<Uuid>,
        parent_id -> Nullable<Uuid>,
        purpose -> Nullable<Text>,
        goal -> Nullable<Text>,
        description -> Nullable<Text>,
        target_group -> Nullable<Text>,
        target_age_from -> Nullable<Integer>,
        target_age_to -> Nullable<Integer>,
        method -> Nullable<Text>,
        dissemination -> Nullable<Text>,
        after_project -> Nullable<Text>,
        continuation -> Text,
        start_month -> Nullable<Text>,
        end_month -> Nullable<Text>,
        time_status_percent_published -> Nullable<Integer>,
        contact_town -> Nullable<Text>,
        scope -> Text,
        themes -> Array<Text>,
        source_url -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    protection_keys (grid) {
        grid -> Integer,
        key -> Binary,
    }
}

diesel::table! {
    protection_policies (dimension, code) {
        dimension -> Text,
        code -> Text,
        threshold -> Integer,
        finest_level -> Text,
        reason_sv -> Text,
        reason_en -> Text,
    }
}

diesel::table! {
    publication_blocks (publication_id, measure_code, basis, level, period_no, area_code) {
        publication_id -> Uuid,
        measure_code -> Text,
        basis -> Text,
        level -> SmallInt,
        period_no -> SmallInt,
        area_code -> Text,
        reported -> Integer,
        expected -> Integer,
        source_nos -> Array<SmallInt>,
        summary -> Binary,
        ages -> Binary,
        detail -> Binary,
        residents -> Binary,
    }
}

diesel::table! {
    publication_documents (publication_id, kind) {
        publication_id -> Uuid,
        kind -> Text,
        content -> Jsonb,
    }
}

diesel::table! {
    publication_figures (publication_id, measure_code, basis, level, period_no, area_code, gender, age_band, subject, activity_form) {
        publication_id -> Uuid,
        measure_code -> Text,
        basis -> Text,
        level -> SmallInt,
        period_no -> SmallInt,
        area_code -> Text,
        gender -> Text,
        age_band -> Text,
        subject -> Text,
        activity_form -> Text,
        value -> Nullable<Double>,
        status -> Text,
        precision -> Text,
        source_no -> SmallInt,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    publication_findings (publication_id, position) {
        publication_id -> Uuid,
        position -> Integer,
        rule -> Text,
        severity -> Text,
        acknowledged -> Bool,
        measure_code -> Nullable<Text>,
        area_code -> Nullable<Text>,
        period -> Nullable<Text>,
        source_id -> Nullable<Uuid>,
        report_id -> Nullable<Uuid>,
        text_sv -> Text,
        text_en -> Text,
    }
}

diesel::table! {
    publication_raw_blocks (publication_id, measure_code, basis, level, period_no, area_code) {
        publication_id -> Uuid,
        measure_code -> Text,
        basis -> Text,
        level -> SmallInt,
        period_no -> SmallInt,
        area_code -> Text,
        reported -> Integer,
        expected -> Integer,
        source_nos -> Array<SmallInt>,
        summary -> Binary,
        ages -> Binary,
        detail -> Binary,
        residents -> Binary,
    }
}

diesel::table! {
    publication_sources (publication_id, position) {
        publication_id -> Uuid,
        position -> Integer,
        source_id -> Uuid,
    }
}

diesel::table! {
    publications (id) {
        id -> Uuid,
        name -> Text,
        state -> Text,
        title_sv -> Text,
        title_en -> Text,
        note -> Nullable<Text>,
        synthetic -> Bool,
        corrects -> Nullable<Text>,
        created_by -> Text,
        phase -> Text,
        done -> BigInt,
        total -> BigInt,
        heartbeat_at -> Timestamptz,
        failure_sv -> Nullable<Text>,
        failure_en -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        withdrawn_at -> Nullable<Timestamptz>,
        withdrawn_reason -> Nullable<Text>,
        successor -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    reports (id) {
        id -> Uuid,
        source_id -> Uuid,
        area_code -> Text,
        period_kind -> Text,
        period -> Text,
        first_day -> Nullable<Date>,
        last_day -> Nullable<Date>,
        state -> Text,
        note -> Nullable<Text>,
        withdrawn_reason -> Nullable<Text>,
        submitted_by -> Nullable<Text>,
        submitted_at -> Nullable<Timestamptz>,
        approved_by -> Nullable<Text>,
        approved_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    series_breaks (measure_code, first_period) {
        measure_code -> Text,
        first_period -> Text,
        reason_sv -> Text,
        reason_en -> Text,
        source_url -> Nullable<Text>,
    }
}

diesel::table! {
    sources (id) {
        id -> Uuid,
        area_code -> Text,
        title -> Text,
        publisher -> Text,
        url -> Nullable<Text>,
        published_on -> Nullable<Text>,
        official_statistics -> Bool,
        note -> Nullable<Text>,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    areas,
    audit_events,
    changes,
    checkpoints,
    client_secrets,
    clients,
    collaboration_goals,
    collaboration_members,
    collaboration_regions,
    collaborations,
    culture_schools,
    earlier_observations,
    feed_epochs,
    feed_retention,
    funding_lines,
    history,
    idempotency_keys,
    import_pieces,
    import_rows,
    imports,
    measure_notes,
    measures,
    observations,
    partners,
    partnerships,
    populations,
    project_areas,
    project_date_claims,
    projects,
    protection_keys,
    protection_policies,
    publication_blocks,
    publication_documents,
    publication_figures,
    publication_findings,
    publication_raw_blocks,
    publication_sources,
    publications,
    reports,
    series_breaks,
    sources,
);
