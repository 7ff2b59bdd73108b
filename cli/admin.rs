//! `bonafide admin`: tenants, keys and retention in a service's data folder, also while the service runs.
//! It opens the store and nothing else; files and reports of tenants are never read here.

use std::{
    io::{self, Write},
    path::Path,
};

use provenance::Timestamp;
use server::{
    PublicKey, WhenMissing,
    store::{
        ApiKey, Retention, Scopes, SqliteStore, Store, StoreError, Tenant, TenantName, Tenants as _,
    },
};
use verdict::Code;

use crate::{
    args::admin::{
        AdminArgs, AdminCommand, ApiKeysCommand, NewKeyArgs, RetentionArgs, RotateArgs,
        TenantsCommand, WebhooksCommand,
    },
    clock,
    exit::{Exit, Failure},
    output::say,
    settings::Settings,
};

/// Runs the command.
pub(crate) fn run(args: &AdminArgs, settings: &Settings) -> Result<Exit, Failure> {
    let configured = settings.config.serve.data_dir.as_ref();
    let Some(folder) = args.data_dir.as_ref().or(configured) else {
        return Err(Failure::usage(
            "no data folder is named",
            "give --data-dir the folder that `bonafide serve --data-dir` uses",
        ));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::usage(
                format!("the program cannot be started: {error}"),
                "check the limits of this user",
            )
        })?;
    runtime.block_on(administer(folder, &args.command))?;
    Ok(Exit::Done)
}

async fn administer(folder: &Path, command: &AdminCommand) -> Result<(), Failure> {
    let when_missing = match command {
        AdminCommand::Tenants(TenantsCommand::New { .. })
        | AdminCommand::Keys(ApiKeysCommand::New(_)) => WhenMissing::Create,
        AdminCommand::Tenants(TenantsCommand::List | TenantsCommand::Retention(_))
        | AdminCommand::Keys(
            ApiKeysCommand::List(_) | ApiKeysCommand::Rotate(_) | ApiKeysCommand::Revoke { .. },
        )
        | AdminCommand::Webhooks(_) => WhenMissing::Refuse,
    };
    let store = server::open_for_administration(folder, when_missing).await?;
    let done = answer(&store, command).await;
    store.close().await;
    done
}

async fn answer(store: &SqliteStore, command: &AdminCommand) -> Result<(), Failure> {
    let now = clock::now();
    match command {
        AdminCommand::Tenants(command) => tenants(store, command, now).await,
        AdminCommand::Keys(ApiKeysCommand::New(args)) => new_key(store, args, now).await,
        AdminCommand::Keys(ApiKeysCommand::List(args)) => list_keys(store, &args.name, now).await,
        AdminCommand::Keys(ApiKeysCommand::Rotate(args)) => rotate(store, args, now).await,
        AdminCommand::Keys(ApiKeysCommand::Revoke { tenant, id }) => {
            let tenant = store.tenant(&tenant.name).await?;
            store.revoke_key(tenant.id, id, now).await?;
            say(&format!("key {id} is refused from now on"));
            Ok(())
        }
        AdminCommand::Webhooks(command) => webhooks(store, command, now).await,
    }
}

async fn tenants(
    store: &SqliteStore,
    command: &TenantsCommand,
    now: Timestamp,
) -> Result<(), Failure> {
    match command {
        TenantsCommand::New { name } => {
            let tenant = store.ensure_tenant(name, now).await?;
            let is_new = tenant.created_at == now;
            say(if is_new {
                "made"
            } else {
                "it is there already"
            });
            print(&[tenant_line(&tenant)])
        }
        TenantsCommand::List => {
            let all = store.tenants().await?;
            print(&all.iter().map(tenant_line).collect::<Vec<_>>())
        }
        TenantsCommand::Retention(args) => retention(store, args).await,
    }
}

async fn retention(store: &SqliteStore, args: &RetentionArgs) -> Result<(), Failure> {
    let tenant = store.tenant(&args.tenant.name).await?;
    if let Some(days) = args.days {
        let verdict = args.verdict;
        store
            .set_retention(tenant.id, Retention { verdict, days })
            .await?;
    }
    let rules = store.retention(tenant.id).await?;
    let mut lines = Vec::new();
    if rules.iter().all(|rule| rule.verdict.is_some()) {
        lines.push(format!(
            "all others           {} days, the default",
            Retention::DEFAULT_DAYS
        ));
    }
    lines.extend(rules.iter().map(|rule| {
        let verdict = rule.verdict.map_or("all others", Code::as_str);
        format!("{verdict:<19}  {} days", rule.days)
    }));
    print(&lines)
}

async fn new_key(store: &SqliteStore, args: &NewKeyArgs, now: Timestamp) -> Result<(), Failure> {
    let tenant = store.ensure_tenant(&args.tenant.name, now).await?;
    let (text, key) = generate(args.scopes, now, args.expires)?;
    let id = key.id.clone();
    store.add_key(tenant.id, key).await?;
    show_key(&tenant, &id.to_string(), text.expose())
}

async fn rotate(store: &SqliteStore, args: &RotateArgs, now: Timestamp) -> Result<(), Failure> {
    let tenant = store.tenant(&args.tenant.name).await?;
    let old = store
        .key(&args.id)
        .await?
        .filter(|old| old.tenant == tenant.id)
        .ok_or_else(|| StoreError::UnknownKey(args.id.to_string()))?;
    let (text, key) = generate(old.scopes, now, None)?;
    let id = key.id.clone();
    let ends_at = hours_after(now, args.overlap_hours);
    store.rotate_key(tenant.id, &args.id, key, ends_at).await?;
    say(&format!("key {} ends at {ends_at} at the latest", args.id));
    show_key(&tenant, &id.to_string(), text.expose())
}

fn generate(
    scopes: Scopes,
    now: Timestamp,
    expires: Option<Timestamp>,
) -> Result<(server::ApiKeyText, server::store::NewKey), Failure> {
    server::generate(scopes, now, expires).map_err(|error| {
        Failure::usage(
            format!("the system gives no random bytes: {error}"),
            "try again once it has started up",
        )
    })
}

/// The key alone on the last line of standard output, as scripts read it.
fn show_key(tenant: &Tenant, id: &str, key: &str) -> Result<(), Failure> {
    say(&format!(
        "key {id} of tenant {}; only its hash is kept, so it is shown this once:",
        tenant.name
    ));
    let mut out = io::stdout().lock();
    writeln!(out, "{key}")?;
    out.flush()?;
    Ok(())
}

async fn list_keys(store: &SqliteStore, name: &TenantName, now: Timestamp) -> Result<(), Failure> {
    let tenant = store.tenant(name).await?;
    let keys = store.keys(tenant.id).await?;
    print(
        &keys
            .iter()
            .map(|key| key_line(key, now))
            .collect::<Vec<_>>(),
    )
}

async fn webhooks(
    store: &SqliteStore,
    command: &WebhooksCommand,
    now: Timestamp,
) -> Result<(), Failure> {
    let store: &dyn Store = store;
    let keys = match command {
        WebhooksCommand::Keys(args) => {
            let tenant = store.tenant(&args.name).await?;
            server::signing_public_keys(store, tenant.id, now).await?
        }
        WebhooksCommand::Rotate {
            tenant,
            overlap_hours,
        } => {
            let tenant = store.tenant(&tenant.name).await?;
            let overlap_s = overlap_hours.saturating_mul(3_600);
            server::rotate_keys(store, tenant.id, now, overlap_s).await?
        }
    };
    print(&keys.iter().map(public_key_line).collect::<Vec<_>>())
}

fn tenant_line(tenant: &Tenant) -> String {
    format!("{}  {}", tenant.created_at, tenant.name)
}

fn key_line(key: &ApiKey, now: Timestamp) -> String {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if at <= now => format!("ended {at}"),
        (None, Some(at)) => format!("ends {at}"),
        (None, None) => "live".to_owned(),
    };
    format!(
        "{}  {}  {:<23}  {state}",
        key.id,
        key.created_at,
        key.scopes.to_string()
    )
}

fn public_key_line(key: &PublicKey) -> String {
    let state = match &key.ends_at {
        Some(at) => format!("ends {at}"),
        None => "live".to_owned(),
    };
    format!("{}  {}  {state}", key.key, key.created_at)
}

fn print(lines: &[String]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(())
}

fn hours_after(now: Timestamp, hours: u32) -> Timestamp {
    Timestamp(now.0.saturating_add(i64::from(hours) * 3_600))
}
