//! The permissions, and the actions that need them.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        /// What a client may do, inside its areas.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Permission {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// As written in tokens and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }

        // By hand: the derive does not see through a macro's literals and would name the Rust variants.
        impl PartialSchema for Permission {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some("What a client may do, inside its areas."))
                    .enum_values(Some([$($code),+]))
                    .into()
            }
        }

        $($(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Action for $name {
            const PERMISSION: Permission = Permission::$name;
        })+
    };
}

/// An action that needs a permission: the type parameter of a [`super::Grant`].
pub trait Action: 'static {
    /// The permission it needs.
    const PERMISSION: Permission;
}

permissions! {
    /// Read the registry: published rows in the whole country, drafts inside the areas.
    RegistryRead = "registry:read";
    /// Write the registry inside the areas.
    RegistryWrite = "registry:write";
    /// See contact persons inside the areas.
    ContactsRead = "contacts:read";
    /// Read reports and raw observations inside the areas.
    ParticipationRead = "participation:read";
    /// Write reports inside the areas and submit them.
    ParticipationWrite = "participation:write";
    /// Approve, return and withdraw reports inside the areas.
    ParticipationApprove = "participation:approve";
    /// Read published statistics.
    StatisticsRead = "statistics:read";
    /// Make publications.
    Publish = "publish";
    /// Follow changes inside the areas.
    SyncRead = "sync:read";
    /// Import files inside the areas.
    ImportsWrite = "imports:write";
    /// Create, change and revoke clients inside the areas.
    ClientsAdmin = "clients:admin";
    /// Read the audit trail inside the areas.
    AuditRead = "audit:read";
}

impl ToSchema for Permission {
    fn name() -> std::borrow::Cow<'static, str> {
        "Permission".into()
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Permission {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::ALL
                    .iter()
                    .map(|permission| permission.as_str())
                    .collect();
                format!("no permission `{text}`; known are {}", known.join(", "))
            })
    }
}
